from unfaithful_cot.corpus.specs import plan_documents
from unfaithful_cot.host.job import run_rule

run_rule(plan_documents, snakemake)
