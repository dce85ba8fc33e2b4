from unfaithful_cot.host.job import run_rule
from unfaithful_cot.report.ablation import draw_ablation

run_rule(draw_ablation, snakemake)
