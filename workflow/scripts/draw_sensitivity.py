from unfaithful_cot.console import run_rule
from unfaithful_cot.figures.sensitivity import draw_sensitivity

run_rule(draw_sensitivity, snakemake)
