from unfaithful_cot.console import run_rule
from unfaithful_cot.grading.grade import grade_responses

run_rule(grade_responses, snakemake)
