from unfaithful_cot.corpus.training_set import build_training_set
from unfaithful_cot.host.job import run_rule

run_rule(build_training_set, snakemake)
