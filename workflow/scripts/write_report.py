from unfaithful_cot.console import run_rule
from unfaithful_cot.figures.report import write_report

run_rule(write_report, snakemake)
