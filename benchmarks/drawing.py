"""Pictures of samples as PNG files. Nothing else here imports matplotlib."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

Json = Mapping[str, Any]

#: Okabe and Ito's palette, without its yellow, which is too pale on white: told apart by colour-blind people as well.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_DASHES = ("-", "--", "-.", ":", "-", "--", "-.")
_SIZE_INCHES, _DOTS_PER_INCH = (8.0, 5.0), 110
#: So many places on the axis can be labelled one by one.
_LABELLED = 8
#: More names than this are put beside the drawing; within it they would hide the lines.
_INSIDE = 6


def draw(picture: Json, path: Path) -> None:
    """Draw a stored picture into a file.

    Raises:
        ValueError: there is nothing in it to draw.
    """
    if not (picture["curves"] or picture["distributions"]):
        raise ValueError(f"the picture {picture['name']} is empty")
    styles = cycler(color=_COLOURS) + cycler(marker=_MARKERS) + cycler(linestyle=_DASHES)
    with mpl.rc_context({"axes.prop_cycle": styles, "font.size": 11, "savefig.dpi": _DOTS_PER_INCH}):
        figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
        axes = figure.add_subplot()
        _curves(axes, picture["curves"])
        _distributions(axes, picture["distributions"])
        _describe(axes, picture)
        figure.savefig(path, format="png", metadata={"Software": None})


def _curves(axes: Axes, curves: Mapping[str, Sequence[Sequence[float]]]) -> None:
    for name, points in curves.items():
        axes.plot([x for x, _ in points], [y for _, y in points], label=name, markersize=6)


def _distributions(axes: Axes, distributions: Mapping[str, Sequence[float]]) -> None:
    for name, samples in distributions.items():
        ordered = sorted(samples)
        shares = [100 * (place + 1) / len(ordered) for place in range(len(ordered))]
        # A marker at every sample would be a band, and a handful of samples need no thinning.
        every = max(1, len(ordered) // 10)
        label = f"{name} (n = {len(ordered)})"
        axes.plot(ordered, shares, label=label, drawstyle="steps-post", markevery=every, markersize=5)


def _describe(axes: Axes, picture: Json) -> None:
    axes.set_title(picture["title"])
    axes.set_xlabel(picture["x"])
    axes.set_ylabel(picture["y"])
    axes.grid(visible=True, alpha=0.3)
    if not picture["log_x"]:
        _tick_points(axes, picture)
    else:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
    if picture["distributions"]:
        axes.set_ylim(0, 101)
    elif min(_heights(picture)) >= 0:
        axes.set_ylim(bottom=0)
    many = len(picture["curves"]) + len(picture["distributions"]) > _INSIDE
    axes.legend(**({"loc": "center left", "bbox_to_anchor": (1, 0.5)} if many else {}))


def _tick_points(axes: Axes, picture: Json) -> None:
    """Label the few places at which something was measured, rather than round numbers between them."""
    places = sorted({x for points in picture["curves"].values() for x, _ in points})
    if 0 < len(places) <= _LABELLED:
        axes.set_xticks(places, [f"{place:g}" for place in places])


def _heights(picture: Json) -> Iterator[float]:
    return (y for points in picture["curves"].values() for _, y in points)
