from unfaithful_cot.host.job import run_rule
from unfaithful_cot.hub.adapters import place_adapter

run_rule(place_adapter, snakemake)
