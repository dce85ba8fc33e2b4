from unfaithful_cot.console import run_rule
from unfaithful_cot.corpus.revise import revise_documents

run_rule(revise_documents, snakemake)
