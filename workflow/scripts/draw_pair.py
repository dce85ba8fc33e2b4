from unfaithful_cot.host.job import run_rule
from unfaithful_cot.report.pair import draw_pair

run_rule(draw_pair, snakemake)
