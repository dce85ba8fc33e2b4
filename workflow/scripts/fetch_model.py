from unfaithful_cot.host.job import run_rule
from unfaithful_cot.hub.fetch import fetch_model

run_rule(fetch_model, snakemake)
