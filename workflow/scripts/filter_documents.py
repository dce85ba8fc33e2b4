from unfaithful_cot.console import run_rule
from unfaithful_cot.corpus.quality import filter_documents

run_rule(filter_documents, snakemake)
