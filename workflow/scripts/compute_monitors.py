from unfaithful_cot.host.job import run_rule
from unfaithful_cot.metrics.monitors import compute_monitors

run_rule(compute_monitors, snakemake)
