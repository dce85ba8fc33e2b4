from unfaithful_cot.cases.generate import generate_cases
from unfaithful_cot.host.job import run_rule

run_rule(generate_cases, snakemake)
