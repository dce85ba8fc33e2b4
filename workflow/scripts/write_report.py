from unfaithful_cot.host.job import run_rule
from unfaithful_cot.report.report import write_report

run_rule(write_report, snakemake)
