from unfaithful_cot.host.job import run_rule
from unfaithful_cot.report.sensitivity import draw_sensitivity

run_rule(draw_sensitivity, snakemake)
