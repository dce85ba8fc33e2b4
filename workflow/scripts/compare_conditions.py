from unfaithful_cot.host.job import run_rule
from unfaithful_cot.metrics.comparisons import compare_conditions

run_rule(compare_conditions, snakemake)
