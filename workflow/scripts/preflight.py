from unfaithful_cot.host.job import run_rule
from unfaithful_cot.plan.check import preflight

run_rule(preflight, snakemake)
