from unfaithful_cot.console import run_rule
from unfaithful_cot.corpus.specs import plan_documents

run_rule(plan_documents, snakemake)
