from unfaithful_cot.host.job import run_rule
from unfaithful_cot.metrics.replay import measure_transcripts

run_rule(measure_transcripts, snakemake)
