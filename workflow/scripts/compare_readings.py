from unfaithful_cot.host.job import run_rule
from unfaithful_cot.metrics.readings import compare_readings

run_rule(compare_readings, snakemake)
