"""Training curves: the loss of every adapter over its supervised tokens, as small multiples.

In: Manifest records, or the files that hold them. Out: SVG text, one panel an adapter, all on the same loss axis; adapters without a
logged point are named, not drawn. Errors: DataError for a file that is no manifest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from unfaithful_cot.errors import DataError
from unfaithful_cot.records.adapters import Manifest
from unfaithful_cot.records.cells import Cell
from unfaithful_cot.report import style

COLUMNS = 4


def cell_of(manifest: Manifest) -> Cell:
    """The cell that a manifest belongs to."""
    return Cell(manifest.model, manifest.corpus, manifest.n_documents, manifest.seed)


def read_manifests(paths: Iterable[str]) -> list[Manifest]:
    """The manifests of the adapters: one JSON value a file."""
    found = []
    for path in paths:
        try:
            found.append(Manifest.model_validate_json(Path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise DataError(
                path,
                f"is no manifest ({str(error).splitlines()[0]})",
                todo="Rerun: snakemake -R train_adapter",
            ) from None
    return found


def draw_curves(manifests: Sequence[Manifest], labels: Mapping[str, str], main_corpus: str) -> str | None:
    """SVG text of the loss curves; None where no manifest has a point."""
    drawn = [manifest for manifest in manifests if manifest.loss_curve]
    if not drawn:
        return None
    corpora = list(dict.fromkeys(manifest.corpus for manifest in drawn))
    columns = min(COLUMNS, len(drawn))
    lines = -(-len(drawn) // columns)
    models = {manifest.model for manifest in drawn}
    with style.drawing():
        figure = Figure(figsize=(2.75 * columns + 0.4, 2.3 * lines + 0.5), layout="constrained")
        grid = figure.subplots(lines, columns, sharey=True, squeeze=False)
        for axes, manifest in zip(grid.flat, drawn, strict=False):
            look = style.corpus_look(manifest.corpus, corpora, main_corpus)
            tokens = [point.tokens for point in manifest.loss_curve]
            losses = [point.loss for point in manifest.loss_curve]
            axes.plot(tokens, losses, color=look.colour, linewidth=1.6, marker=look.marker, markersize=2.5)
            head = f"{labels.get(manifest.model, manifest.model)}\n" if len(models) > 1 else ""
            cell = cell_of(manifest)
            title = style.condition_label(cell, labels, main_corpus, show_seed=cell.seed > 0).replace(
                ", ", "\n", 1
            )
            axes.set_title(f"{head}{title}", fontsize=9, weight="normal")
            axes.set(xlim=(0, None), ylim=(0, max(p.loss for m in drawn for p in m.loss_curve) * 1.05))
            axes.xaxis.set_major_formatter(EngFormatter(sep=""))
            axes.grid(axis="y", linewidth=0.7)
            sns.despine(ax=axes)
        for axes in list(grid.flat)[len(drawn) :]:
            axes.set_axis_off()
        figure.supxlabel("supervised tokens", fontsize=9, color=style.INK)
        figure.supylabel("loss (nats a token)", fontsize=9, color=style.INK)
        return style.svg_text(figure)
