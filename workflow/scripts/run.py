"""The script of every rule: it calls the function of the package that the rule names (`call` in its params)."""

from unfaithful_cot.host.job import called, run_rule

run_rule(called(snakemake), snakemake)
