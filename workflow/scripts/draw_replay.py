from unfaithful_cot.console import run_rule
from unfaithful_cot.figures.replay import draw_replay

run_rule(draw_replay, snakemake)
