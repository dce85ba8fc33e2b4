from unfaithful_cot.console import run_rule
from unfaithful_cot.figures.pair import draw_pair

run_rule(draw_pair, snakemake)
