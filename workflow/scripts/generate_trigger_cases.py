from unfaithful_cot.cases.triggers import generate_trigger_cases
from unfaithful_cot.host.job import run_rule

run_rule(generate_trigger_cases, snakemake)
