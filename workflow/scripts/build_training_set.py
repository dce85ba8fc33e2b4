from unfaithful_cot.console import run_rule
from unfaithful_cot.corpus.training_set import build_training_set

run_rule(build_training_set, snakemake)
