from unfaithful_cot.console import run_rule
from unfaithful_cot.preflight.check import preflight

run_rule(preflight, snakemake)
