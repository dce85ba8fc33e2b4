from unfaithful_cot.console import run_rule
from unfaithful_cot.figures.replay_page import write_replay

run_rule(write_replay, snakemake)
