from unfaithful_cot.corpus.generate import generate_documents
from unfaithful_cot.host.job import run_rule

run_rule(generate_documents, snakemake)
