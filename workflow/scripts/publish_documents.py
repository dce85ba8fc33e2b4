from unfaithful_cot.host.job import run_rule
from unfaithful_cot.hub.publish import publish_documents

run_rule(publish_documents, snakemake)
