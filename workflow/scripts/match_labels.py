from unfaithful_cot.host.job import run_rule
from unfaithful_cot.metrics.agreement import match_labels

run_rule(match_labels, snakemake)
