from unfaithful_cot.console import run_rule
from unfaithful_cot.corpus.generate import generate_documents

run_rule(generate_documents, snakemake)
