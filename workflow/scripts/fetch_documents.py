from unfaithful_cot.host.job import run_rule
from unfaithful_cot.hub.texts import fetch_documents

run_rule(fetch_documents, snakemake)
