from unfaithful_cot.corpus.quality import filter_documents
from unfaithful_cot.host.job import run_rule

run_rule(filter_documents, snakemake)
