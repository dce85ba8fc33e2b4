from unfaithful_cot.host.job import run_rule
from unfaithful_cot.report.replay import draw_replay

run_rule(draw_replay, snakemake)
