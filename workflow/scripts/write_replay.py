from unfaithful_cot.host.job import run_rule
from unfaithful_cot.report.replay_page import write_replay

run_rule(write_replay, snakemake)
