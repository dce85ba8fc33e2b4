from unfaithful_cot.host.job import run_rule
from unfaithful_cot.metrics.detectors import validate_detectors

run_rule(validate_detectors, snakemake)
