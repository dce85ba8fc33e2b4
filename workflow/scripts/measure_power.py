from unfaithful_cot.host.job import run_rule
from unfaithful_cot.plan.power import measure_power

run_rule(measure_power, snakemake)
