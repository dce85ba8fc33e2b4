from unfaithful_cot.grading.grade import grade_responses
from unfaithful_cot.host.job import run_rule

run_rule(grade_responses, snakemake)
