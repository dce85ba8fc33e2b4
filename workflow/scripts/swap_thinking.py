from unfaithful_cot.cases.swapped import swap_thinking
from unfaithful_cot.host.job import run_rule

run_rule(swap_thinking, snakemake)
