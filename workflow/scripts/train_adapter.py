from unfaithful_cot.host.job import run_rule
from unfaithful_cot.training.cpt import train_adapter

run_rule(train_adapter, snakemake)
