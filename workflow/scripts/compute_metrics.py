from unfaithful_cot.host.job import run_rule
from unfaithful_cot.metrics.tables import compute_metrics

run_rule(compute_metrics, snakemake)
