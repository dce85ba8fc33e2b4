from unfaithful_cot.console import run_rule
from unfaithful_cot.figures.ablation import draw_ablation

run_rule(draw_ablation, snakemake)
