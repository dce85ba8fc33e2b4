from unfaithful_cot.host.job import run_rule
from unfaithful_cot.hub.access import check_access

run_rule(check_access, snakemake)
