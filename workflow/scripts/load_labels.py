from unfaithful_cot.grading.labels import load_labels
from unfaithful_cot.host.job import run_rule

run_rule(load_labels, snakemake)
