from unfaithful_cot.console import run_rule
from unfaithful_cot.grading.judge import judge_responses

run_rule(judge_responses, snakemake)
