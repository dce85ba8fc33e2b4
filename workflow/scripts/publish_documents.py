from unfaithful_cot.console import run_rule
from unfaithful_cot.hub.publish import publish_documents

run_rule(publish_documents, snakemake)
