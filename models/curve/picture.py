"""A learning curve as a picture: errors, escapes and overkill with their limits, and the law."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from models.curve.document import CurvePoint
from models.curve.power_law import FARTHEST, PowerLaw
from models.evaluation.figures.rates import Rate

COLOURS = {"errors": "#1f6f8b", "escapes": "#c0392b", "overkills": "#d68910"}
CALLED = {"errors": "judged wrongly", "escapes": "escapes, of the defective", "overkills": "overkill, of the good"}
BESIDE = {"errors": 1.0, "escapes": 1.02, "overkills": 0.98}
"""So that bars do not cover each other."""


def picture(points: Sequence[CurvePoint], law: PowerLaw | None) -> bytes:
    """A PNG; where the law is better than a constant, it is drawn as far as anything is said of it."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - reading documents must not need it

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for kind, name in CALLED.items():
        _bars(axes, kind, name, points)
    if law is not None and law.is_better_than_a_constant:
        sizes = np.geomspace(points[0].parts, FARTHEST * points[-1].parts, 100)
        axes.plot(sizes, [100 * law.error(size) for size in sizes], "--", color=COLOURS["errors"], label=_formula(law))
    axes.set_xscale("log")
    axes.set_xticks([point.parts for point in points], [str(point.parts) for point in points])
    axes.set_xlabel("parts to train on")
    axes.set_ylabel("share of the test, %")
    axes.set_ylim(bottom=0)
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend()
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    return content.getvalue()


def _bars(axes: Any, kind: str, name: str, points: Sequence[CurvePoint]) -> None:
    counted = [(point.parts * BESIDE[kind], _percents(getattr(point, kind))) for point in points]
    known = [(parts, limits) for parts, limits in counted if limits is not None]
    if not known:
        return
    shares = [share for _parts, (share, _low, _high) in known]
    spread = [[share - low for _p, (share, low, _h) in known], [high - share for _p, (share, _l, high) in known]]
    axes.errorbar(
        [parts for parts, _limits in known], shares, spread, fmt="o", capsize=3, color=COLOURS[kind], label=name
    )


def _percents(counted: Rate) -> tuple[float, float, float] | None:
    if counted.share is None:
        return None
    return 100 * counted.share, 100 * counted.lower, 100 * counted.upper


def _formula(law: PowerLaw) -> str:
    return f"{law.a:.3g} n^-{law.b:.2g} + {law.c:.3g}"
