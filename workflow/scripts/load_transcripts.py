from unfaithful_cot.grading.replay import load_transcripts
from unfaithful_cot.host.job import run_rule

run_rule(load_transcripts, snakemake)
