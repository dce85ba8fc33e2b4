from unfaithful_cot.host.job import run_rule
from unfaithful_cot.metrics.grader_agreement import measure_agreement

run_rule(measure_agreement, snakemake)
