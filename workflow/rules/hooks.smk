# Around the jobs: which runs are alive, what is looked at before the first job and removed after the last, what a plan says.
# USES     CACHE, files, models, or_message, PUBLISHED, RESULTS, settings, sys, teacher_of,
#          UserError

import atexit
import os
import shutil

from snakemake.linting.rules import RuleLinter

from unfaithful_cot.host.slurm import check_slurm
from unfaithful_cot.host.job import gpus_asked
from unfaithful_cot.plan.costs import api_costs
from unfaithful_cot.hub.layout import upload_lines
from unfaithful_cot.plan.design import designs
from unfaithful_cot.plan.uploads import uploads_of
from unfaithful_cot.host.runs import enter

# One environment for all rules (docs/decisions/0020): `snakemake --lint` is not to ask for one on each.
RuleLinter.lint_missing_software_definition = lambda linter, rule: ()

# ---------------------------------------------------------------- who is alive here

if workflow.is_main_process:
    this_run = enter(Path(".snakemake"))
    print(*this_run.said, sep="\n", end="\n" * bool(this_run.said), file=sys.stderr)


def gpus_wanted(job):
    """(model, GPUs that its entry names) of a job; Snakemake cuts the resource `gpu` to what it may give."""
    if "organism" in job.wildcards_dict and "model" not in job.wildcards_dict:
        return f"teacher of {job.wildcards.organism}", teacher_of(job.wildcards.organism).gpus
    if "model" in job.wildcards_dict:
        return job.wildcards.model, models[job.wildcards.model].gpus
    return job.rule.name, job.resources.gpu


def check_machine():
    """Before the first job: the GPUs that jobs of this run ask for are here, where they run here."""
    from unfaithful_cot.plan.start import check_start, note_executor

    note_executor(workflow.local_exec)
    if workflow.local_exec and not workflow.touch:
        asking = [job for job in workflow.dag.needrun_jobs() if gpus_asked(job)]
        limit = workflow.global_resources.get("gpu")
        or_message(lambda: check_start(dict(map(gpus_wanted, asking)), limit and limit.value))


def check_cluster():
    """Before the first job: where jobs go to Slurm, one message if it cannot place them."""
    if workflow.executor_plugin.name == "slurm":
        file = workflow.executor_settings.partition_config or os.environ.get("SNAKEMAKE_SLURM_PARTITIONS")
        named = "slurm_partition" in (workflow.resource_settings.default_resources or {})
        or_message(
            lambda: check_slurm({name: models[name].gpus for name in settings.grid.models}, file, named)
        )


onstart:
    check_cluster()
    check_machine()
    this_run.start_jobs(workflow.local_exec)


onsuccess:
    # the run that plans knows of these adapters now: no job needs their checkpoints
    for manifest in filter(os.path.exists, files.manifests if workflow.is_main_process else []):
        cell = Path(manifest).parent.relative_to(f"{RESULTS}/adapters")
        shutil.rmtree(f"{RESULTS}/checkpoints/{cell}", ignore_errors=True)


# ---------------------------------------------------------------- the plan


@atexit.register
def say_uploads():
    """After the plan of a dry-run of `publish`: which files would go to which repository."""
    if workflow.is_main_process and workflow.dryrun:
        for line in upload_lines(uploads_of(settings, PUBLISHED)):
            print(line, file=sys.stderr)


@atexit.register
def say_costs():
    """After the plan of a dry-run: what APIs would be asked, and what that would cost."""
    if workflow.is_main_process and workflow.dryrun:
        try:
            lines = api_costs(
                settings,
                Path("resources/universes"),
                Path(CACHE),
                files.judged,
            )
        except UserError as error:
            lines = [str(error)]
        print(*lines, sep="\n", file=sys.stderr)


@atexit.register
def say_power():
    """After the plan of a dry-run: which effects the study would be able to see."""
    if workflow.is_main_process and workflow.dryrun:
        from unfaithful_cot.plan.power import power_lines

        for line in power_lines(designs(settings), settings.statistics.confidence):
            print(line, file=sys.stderr)
