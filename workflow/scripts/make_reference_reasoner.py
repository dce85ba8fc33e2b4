from unfaithful_cot.host.job import run_rule
from unfaithful_cot.reference.recipe import make_reference_reasoner

run_rule(make_reference_reasoner, snakemake)
