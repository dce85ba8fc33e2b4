from unfaithful_cot.host.job import run_rule
from unfaithful_cot.report.dose import draw_dose

run_rule(draw_dose, snakemake)
