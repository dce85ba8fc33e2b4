from unfaithful_cot.console import run_rule
from unfaithful_cot.figures.recall import draw_recall

run_rule(draw_recall, snakemake)
