"""The charts of the report: reliability, probability of detection, robustness, and what the least confidence does."""

from collections.abc import Sequence

import numpy as np

from models.evaluation.figures.both import size_found
from models.evaluation.figures.calibration import Calibration
from models.evaluation.figures.pod import Pod
from models.evaluation.figures.rates import Rate, rate
from models.evaluation.measuring.defects import Detection
from models.evaluation.measuring.evaluation import OperatingPoint
from models.evaluation.measuring.robustness import RobustnessCurve
from models.evaluation.report.chart import Axis, Frame, Point

RIGHT, ESCAPE, OVERKILL, REVIEW = "c-right", "c-escape", "c-overkill", "c-review"
PERCENT = ".0%"
SMALL = (350, 245)
"""Width and height of a chart of which three stand beside each other."""
GROUP = 8
"""About so many dots stand for all defects on a detection curve."""


def reliability_chart(calibration: Calibration) -> str:
    """Accuracy against confidence, with the share of the samples as bars behind."""
    frame = Frame(
        Axis("Confidence of the answer", 0, 1, form=PERCENT), Axis("Answered rightly", 0, 1, form=PERCENT), height=300
    )
    filled = [one for one in calibration.bins if one.samples]
    share = [(one.lower, one.upper, one.samples / calibration.samples) for one in filled]
    points = [(one.confidence or 0.0, one.accuracy or 0.0) for one in filled]
    rights = [(one.confidence or 0.0, rate(round((one.accuracy or 0.0) * one.samples), one.samples)) for one in filled]
    return frame.draw(
        frame.bars(share, "c-share"),
        frame.line([(0, 0), (1, 1)], "c-neutral dashed"),
        frame.limits([(x, right.lower, right.upper) for x, right in rights], RIGHT),
        frame.dots(points, RIGHT, 4),
        title="Reliability diagram",
    )


def pod_chart(pod: Pod) -> str:
    """Hits and misses, the fitted curve with its lower limit, and a90; nothing without any defect."""
    if not pod.targets:
        return ""
    sizes = [target.size for target in pod.targets]
    unit = f" in {pod.unit}" if pod.unit else ""
    frame = Frame(
        Axis(f"{pod.measure.capitalize()}{unit}, at {pod.held}", min(sizes) * 0.93, max(sizes) * 1.07, "log", ".3g"),
        Axis("Found", 0, 1, form=PERCENT),
        *SMALL,
    )
    curve = [(point.size, point.pod) for point in pod.curve]
    lower = [(point.size, point.lower) for point in pod.curve]
    marks = [
        frame.dots([(target.size, 1) for target in pod.targets if target.found], RIGHT, 2),
        frame.crosses([(target.size, 0) for target in pod.targets if not target.found], ESCAPE),
        frame.line([(min(sizes) * 0.93, 0.9), (max(sizes) * 1.07, 0.9)], "c-neutral dashed"),
    ]
    if curve:
        marks += [frame.band(lower, curve, RIGHT), frame.line(curve, RIGHT), frame.line(lower, f"{RIGHT} dashed")]
    groups = _groups(pod)
    marks += [
        frame.limits([(size, found.lower, found.upper) for size, found in groups], "c-neutral"),
        frame.dots([(size, found.share or 0.0) for size, found in groups], "c-neutral"),
    ]
    if pod.a90_95 is not None and pod.a90_95 <= max(sizes) * 1.07:
        marks.append(frame.mark(pod.a90_95, f"a90/95 = {pod.a90_95:.3g} {pod.unit}", OVERKILL, 0.3))
    return frame.draw(*marks, title=f"Probability of detection of {pod.defect} against {pod.measure}, at {pod.held}")


def size_contrast_chart(detection: Detection) -> str:
    """Every defect by size and contrast, found or missed, and the line above which nine tenths are found."""
    sizes, contrasts = ([row[column] for row in detection.sought] for column in (0, 1))
    x = Axis("Size of the defect in mm", float(min(sizes)) * 0.93, float(max(sizes)) * 1.07, "log", ".3g")
    y = Axis("Contrast", float(min(contrasts)) * 0.93, float(max(contrasts)) * 1.07, "log", ".3g")
    frame = Frame(x, y, *SMALL)
    found: list[Point] = [(size, contrast) for size, contrast, hit in detection.sought if hit]
    missed: list[Point] = [(size, contrast) for size, contrast, hit in detection.sought if not hit]
    marks = [frame.dots(found, RIGHT, 2.2), frame.crosses(missed, ESCAPE)]
    if detection.both.weights is not None:
        steps = np.geomspace(y.low, y.high, 40)
        line = [(size_found(detection.both.weights, float(step)), float(step)) for step in steps]
        marks.append(frame.line([point for point in line if x.low <= point[0] <= x.high], OVERKILL))
    return frame.draw(*marks, title=f"{detection.defect}: found and missed by size and contrast")


def robustness_chart(curve: RobustnessCurve) -> str:
    """Accuracy, escapes, overkill and review against the level."""
    levels = [level.level for level in curve.levels]
    unit = f" ({curve.unit})" if curve.unit else ""
    frame = Frame(
        Axis(f"{curve.name.capitalize()}{unit}", min(levels), max(levels)),
        Axis("Share of the parts", 0, 1, form=PERCENT),
        height=260,
    )
    tallies = [level.tally for level in curve.levels]
    rights = [each.accuracy for each in tallies]
    marks = [frame.band(_points(levels, rights, "lower"), _points(levels, rights, "upper"), RIGHT)]
    for colour, rates in (
        (REVIEW, [each.reviews for each in tallies]),
        (OVERKILL, [each.overkills for each in tallies]),
        (ESCAPE, [each.escapes for each in tallies]),
        (RIGHT, rights),
    ):
        points = _points(levels, rates, "share")
        marks += [frame.line(points, colour), frame.dots(points, colour, 2.5)]
    marks.append(frame.mark(curve.nominal, "undisturbed", "c-neutral"))
    return frame.draw(*marks, title=f"Robustness against {curve.name}")


def operating_chart(points: Sequence[OperatingPoint]) -> str:
    """Escapes, overkill and review against the least confidence."""
    limits = [point.min_confidence for point in points]
    tallies = [point.tally for point in points]
    series = (
        (REVIEW, [each.reviews for each in tallies]),
        (OVERKILL, [each.overkills for each in tallies]),
        (ESCAPE, [each.escapes for each in tallies]),
    )
    highest = max(0.02, *(each.share or 0.0 for _, rates in series for each in rates))
    frame = Frame(
        Axis("Least confidence", min(limits), 1, form=".2g"), Axis("Share of the parts", 0, highest * 1.1, form=".1%")
    )
    marks = []
    for colour, rates in series:
        line = _points(limits, rates, "share")
        marks += [frame.line(line, colour), frame.dots(line, colour)]
    return frame.draw(*marks, title="Escapes, overkill and review against the least confidence")


def _points(levels: Sequence[float], rates: Sequence[Rate], what: str) -> list[Point]:
    return [(level, float(getattr(each, what) or 0.0)) for level, each in zip(levels, rates, strict=True)]


def _groups(pod: Pod) -> list[tuple[float, Rate]]:
    """Median size and found share of neighbours in size."""
    groups = np.array_split(np.arange(len(pod.targets)), min(GROUP, max(1, len(pod.targets) // 5)))
    rates = []
    for group in groups:
        targets = [pod.targets[number] for number in group]
        size = float(np.median([target.size for target in targets]))
        rates.append((size, rate(sum(target.found for target in targets), len(targets))))
    return rates
