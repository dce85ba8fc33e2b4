from unfaithful_cot.console import run_rule
from unfaithful_cot.metrics.power import measure_power

run_rule(measure_power, snakemake)
