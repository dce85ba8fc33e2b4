from unfaithful_cot.grading.judge import judge_responses
from unfaithful_cot.host.job import run_rule

run_rule(judge_responses, snakemake)
