from unfaithful_cot.console import run_rule
from unfaithful_cot.figures.dose import draw_dose

run_rule(draw_dose, snakemake)
