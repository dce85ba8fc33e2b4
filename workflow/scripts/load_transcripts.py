from unfaithful_cot.console import run_rule
from unfaithful_cot.grading.replay import load_transcripts

run_rule(load_transcripts, snakemake)
