from unfaithful_cot.host.job import run_rule
from unfaithful_cot.metrics.categories import count_categories

run_rule(count_categories, snakemake)
