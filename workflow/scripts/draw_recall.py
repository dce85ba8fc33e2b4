from unfaithful_cot.host.job import run_rule
from unfaithful_cot.report.recall import draw_recall

run_rule(draw_recall, snakemake)
