from unfaithful_cot.host.job import run_rule
from unfaithful_cot.hub.publish import publish_adapters

run_rule(publish_adapters, snakemake)
