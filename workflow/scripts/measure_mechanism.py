from unfaithful_cot.host.job import run_rule
from unfaithful_cot.metrics.mechanism import measure_mechanism

run_rule(measure_mechanism, snakemake)
