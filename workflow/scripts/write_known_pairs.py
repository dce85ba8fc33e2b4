from unfaithful_cot.host.job import run_rule
from unfaithful_cot.metrics.known_pairs import write_known_pairs

run_rule(write_known_pairs, snakemake)
