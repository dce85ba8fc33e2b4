from unfaithful_cot.corpus.revise import revise_documents
from unfaithful_cot.host.job import run_rule

run_rule(revise_documents, snakemake)
