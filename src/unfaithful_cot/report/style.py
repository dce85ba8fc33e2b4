"""One look for all figures: colours, type, numbers, and files that are the same bytes for the same input.

In: a matplotlib Figure. Out: SVG and PNG without dates or versions in them.
Colours are of the Okabe-Ito set or as far apart in lightness, and never stand alone: bars have hatches, lines have
markers, both have labels. The report swaps the hexadecimal values below for its own in dark mode.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import matplotlib as mpl
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from unfaithful_cot.jsonl import replacing, storage_errors
from unfaithful_cot.records.tables import MetricRow

BESIDE_POINTS = 8.5  # size of type beside bars
APART_HATCH = "\\\\\\\\"
INK, MUTED, GRID, PAPER = "#1c2127", "#5d6670", "#d5dae0", "#fefefe"


@dataclass(frozen=True)
class Look:
    """How a corpus is drawn."""

    colour: str
    marker: str
    hatch: str


BASELINE_LOOK = Look("#8b949e", "o", "")
MAIN_LOOK = Look("#b8420f", "o", "")
OTHER_LOOKS = (
    Look("#3f97d6", "s", "////"),
    Look("#00805e", "^", "...."),
    Look("#b5589a", "D", "xxxx"),
    Look("#8a6d00", "v", "----"),
    Look("#4a56a6", "P", "++++"),
    Look("#6e4b2a", "X", "\\\\\\\\"),
)


def rate_text(value: float | None) -> str:
    """A rate with two decimals, halves rounded up; a dash where there is none. Only 0 is shown as 0.00, only 1 as 1.00."""
    if value is None:
        return "–"
    text = str(Decimal(repr(value)).quantize(Decimal("0.01"), ROUND_HALF_UP))
    if text == "0.00" and value > 0:
        return "<0.01"
    return ">0.99" if text == "1.00" and value < 1 else text


def count_text(row: MetricRow) -> str | None:
    """`198 of 200` where the rate is a count over n; None where it is not, as with unequal numbers of samples."""
    if row.value is None or not row.n:
        return None
    counted = row.value * row.n
    return f"{round(counted):,} of {row.n:,}" if abs(counted - round(counted)) < 1e-6 else None


def interval_text(low: float | None, high: float | None) -> str:
    """`[0.72, 0.83]`, or nothing where there is no interval."""
    return "" if low is None or high is None else f"[{low:.2f}, {high:.2f}]"


def percent(confidence: float) -> str:
    """`95 %`, `99.9 %`."""
    return f"{100 * confidence:.4g} %"


def signed_text(difference: float) -> str:
    """A difference of rates with its sign: `+0.78`, `−0.02`."""
    return f"{difference:+.2f}".replace("-", "−")


def p_text(p: float | None) -> str:
    """`p = 0.031`, `p < 0.001`, or that there is none."""
    if p is None:
        return "no p"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.0995 else f"p = {p:.2f}"


def missing_text(row: MetricRow) -> str:
    """`, 3 missing`; for accuracy, which counts them as wrong, `, 3 unread`; nothing where there are none."""
    if not row.n_missing:
        return ""
    return f", {row.n_missing:,} {'unread' if row.metric.endswith('accuracy') else 'missing'}"


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """The settings under which a figure is made and saved. Text stays text in the SVG."""
    look = {
        **sns.axes_style("ticks"),
        **sns.plotting_context("notebook", font_scale=0.85),
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.titlecolor": INK,
        "axes.titlelocation": "left",
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "axes.grid.axis": "both",
        "figure.facecolor": PAPER,
        "axes.facecolor": "none",
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "grid.color": GRID,
        "hatch.linewidth": 1.0,
        "svg.fonttype": "none",
        "svg.hashsalt": "unfaithful-cot",
        "text.color": INK,
        "xtick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.color": MUTED,
        "ytick.labelcolor": INK,
    }
    with mpl.rc_context(look):
        yield


def interval(axes: Axes, x: float, y: float, low: float | None, high: float | None, across: bool) -> None:
    """Draw an interval through (x, y): along x when `across`, else along y. Nothing where there is none."""
    if low is None or high is None:
        return
    ends = ([low, high], [y, y]) if across else ([x, x], [low, high])
    axes.plot(*ends, color=INK, linewidth=1.4, solid_capstyle="butt", zorder=4, clip_on=False)
    axes.plot(
        *ends,
        color=INK,
        marker="|" if across else "_",
        markersize=6,
        linestyle="none",
        zorder=4,
        clip_on=False,
    )


def bar(
    axes: Axes,
    y: float,
    row: MetricRow | None,
    look: Look,
    beside: str = "",
    *,
    height: float = 0.6,
    apart: bool = False,
    absent: str = "not asked",
    marked: bool = False,
) -> None:
    """A rate as a bar with its interval, `beside` at the right of the panel; where there is none the panel says why.

    apart: not comparable with what stands above, so hollow and hatched. absent: why there is no row at all. marked: with the marker
    of its look at the end.
    """
    if row is None or row.value is None:
        no_value(axes, y, absent if row is None else row.reason or "no reason given")
        return
    face, edge, hatch = (PAPER, look.colour, APART_HATCH) if apart else (look.colour, PAPER, look.hatch)
    axes.barh(y, row.value, height=height, color=face, edgecolor=edge, hatch=hatch, linewidth=0.8)
    interval(axes, row.value, y, row.ci_low, row.ci_high, across=True)
    at_right(axes, y, beside)
    if marked:
        axes.plot(row.value, y, marker=look.marker, color=INK, markersize=3.5, zorder=5, clip_on=False)


def at_right(axes: Axes, y: float, text: str, size: float = BESIDE_POINTS) -> None:
    """Text at the right of a panel, at the height of a row."""
    axes.text(
        1.03, y, text, color=INK, transform=axes.get_yaxis_transform(), va="center", fontsize=size, linespacing=1.3,
        clip_on=False,
    )  # fmt: skip


def no_value(axes: Axes, y: float, why: str) -> None:
    """In the place of a bar: that there is no value, and why."""
    axes.text(
        0.01, y, f"no value: {why}", color=MUTED, style="italic", transform=axes.get_yaxis_transform(), va="center",
        fontsize=BESIDE_POINTS, clip_on=False,
    )  # fmt: skip


def counted(row: MetricRow) -> str:
    """`0.78 [0.72, 0.83]`; n stands behind or below it."""
    return f"{rate_text(row.value)} {interval_text(row.ci_low, row.ci_high)}"


def below(row: MetricRow | None, apart: bool = False) -> str:
    """`0.78 [0.72, 0.83]` with n on a second line; apart: not comparable, which a third line says."""
    if row is None:
        return ""
    return f"{counted(row)}\nn = {row.n:,}{missing_text(row)}" + ("\nnot comparable" if apart else "")


def share_axes(axes: Axes, title: str, unit: str, bottom: float, top: float = -0.6, ticks: int = 5) -> None:
    """A panel of rates from 0 to 1 along x, rows from `top` down to `bottom`."""
    axes.set(title=title, xlabel=unit, xlim=(0, 1), ylim=(bottom, top))
    places = [i / (ticks - 1) for i in range(ticks)]
    axes.set_xticks(places, [f"{place:g}" for place in places])
    row_axes(axes)


def row_axes(axes: Axes, **spines: bool) -> None:
    """A panel whose rows are named at the left: a grid along x, no ticks at the rows."""
    axes.grid(axis="x", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    sns.despine(ax=axes, **spines)


def foot_note(figure: Figure, note: str) -> None:
    """The note below a figure."""
    figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=MUTED)


def key(figure: Figure, looks: Mapping[str, Look]) -> None:
    """What each kind of bar is, above the panels."""
    handles = [
        Patch(facecolor=look.colour, edgecolor=PAPER, hatch=look.hatch, label=name)
        for name, look in looks.items()
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), frameon=False, fontsize=9)


def row_of_panels(figure: Figure, count: int) -> list[Axes]:
    """Panels side by side that share their rows."""
    return list(figure.subplots(1, count, sharey=True, squeeze=False)[0])


def svg_text(figure: Figure) -> str:
    """The figure as SVG; the same figure gives the same text."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()


def save(figure: Figure, svg: Path | str, png: Path | str) -> None:
    """Write both files, whole or not at all. Raises StorageError when the disk cannot take them."""
    with replacing(svg) as out:
        out.write(svg_text(figure))
    with storage_errors(Path(png)):
        Path(png).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(png, format="png", dpi=200, metadata={"Software": None})
