from unfaithful_cot.console import run_rule
from unfaithful_cot.grading.labels import load_labels

run_rule(load_labels, snakemake)
