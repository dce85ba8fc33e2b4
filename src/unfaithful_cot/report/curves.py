"""Training curves: the loss of every adapter over its supervised tokens, as small multiples.

In: View, with its manifests. Out: SVG text, one panel an adapter, all on the same loss axis; adapters without a
logged point are named, not drawn.
"""

from __future__ import annotations

import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from unfaithful_cot.report import style, words
from unfaithful_cot.report.view import View, cell_of

COLUMNS = 4


def draw_curves(view: View) -> str | None:
    """SVG text of the loss curves; None where no manifest has a point."""
    drawn = [manifest for manifest in view.manifests if manifest.loss_curve]
    if not drawn:
        return None
    corpora = [manifest.corpus for manifest in drawn]
    columns = min(COLUMNS, len(drawn))
    lines = -(-len(drawn) // columns)
    highest = max(point.loss for manifest in drawn for point in manifest.loss_curve)
    with style.drawing():
        figure = Figure(figsize=(2.75 * columns + 0.4, 2.3 * lines + 0.5), layout="constrained")
        grid = list(figure.subplots(lines, columns, sharey=True, squeeze=False).flat)
        titles = view.names([("", cell_of(manifest)) for manifest in drawn])
        for axes, manifest, title in zip(grid, drawn, titles, strict=False):
            look = view.look(cell_of(manifest), corpora)
            x, y = zip(*((point.tokens, point.loss) for point in manifest.loss_curve), strict=True)
            axes.plot(x, y, color=look.colour, linewidth=1.6, marker=look.marker, markersize=2.5)
            axes.set_title(title, fontsize=9, weight="normal")
            axes.set(xlim=(0, None), ylim=(0, highest * 1.05))
            axes.xaxis.set_major_formatter(EngFormatter(sep=""))
            axes.grid(axis="y", linewidth=0.7)
            sns.despine(ax=axes)
        for axes in grid[len(drawn) :]:
            axes.set_axis_off()
        figure.supxlabel(words.CURVES[1], fontsize=9, color=style.INK)
        figure.supylabel(words.CURVES[2], fontsize=9, color=style.INK)
        return style.svg_text(figure)
