from unfaithful_cot.host.job import run_rule
from unfaithful_cot.metrics.replay import compare_transcripts

run_rule(compare_transcripts, snakemake)
