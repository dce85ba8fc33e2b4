from unfaithful_cot.host.job import run_rule
from unfaithful_cot.hub.adapters import fetch_adapters

run_rule(fetch_adapters, snakemake)
