from unfaithful_cot.host.job import run_rule
from unfaithful_cot.inference.evaluate import evaluate_model

run_rule(evaluate_model, snakemake)
