"""Probability of detection against one measure of a defect: what is found, from which size on, and how sure that is.

A curve against size holds for defects of usual contrast and is fitted on those alone, one against contrast for defects
of usual size: among defects of any contrast a large one is missed, too, and no size is sure to be found. a50 and a90
are the sizes, or contrasts, of which half and nine tenths are found; a90/95 is the one-sided upper limit of a90 with
95 % confidence, the figure that a requirement names. A set that no curve can be fitted to is said to be so, and why.
Source: the practice of MIL-HDBK-1823A for hit/miss data; the model and its limits are in `hit_miss`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from models.evaluation.figures.hit_miss import Floats, Logistic, fit_logistic, lower_logit, upper_size
from models.evaluation.figures.rates import binomial_tail, clopper_pearson, upper_limit
from models.evaluation.figures.wording import percent
from station.core.section import Section

FEWEST_TARGETS = 60
"""That MIL-HDBK-1823A asks of hit/miss data."""
LOGIT_90 = float(np.log(9.0))
CURVE_POINTS = 25
NO_OTHERS = np.zeros(0)

Size = float | None
"""In the unit of the curve; None where it cannot be estimated, or lies outside what was tried."""
Ending = Literal["fitted", "none tried", "all found", "none found", "separated", "not rising"]


@dataclass(frozen=True, slots=True)
class Measure:
    """What a curve is against.

    Attributes:
        name: What is measured of each defect.
        unit: Its unit; empty for a plain number.
        held: What the defects have in common that it is fitted on.
    """

    name: str
    unit: str
    held: str


SIZE, CONTRAST = Measure("size", "mm", "usual contrast"), Measure("contrast", "", "usual size")


class Target(Section):
    """One defect."""

    size: float = Field(..., gt=0, description="Its size, or contrast, in the unit of the curve.")
    found: bool = Field(..., description="Whether a patch that shows it was called defective, of whatever class.")


class PodPoint(Section):
    """A point of the fitted curve."""

    size: float = Field(..., description="In the unit of the curve.")
    pod: float = Field(..., description="Probability of detection.")
    lower: float = Field(..., description="Its one-sided lower limit with 95 % confidence.")


class Share90(Section):
    """From which size on nine tenths are found, shown by counting alone, without a model."""

    size: float = Field(..., description="Smallest such size.")
    targets: int = Field(..., description="Defects of that size and larger.")
    found: int = Field(..., description="Of them found.")


class Pod(Section):
    """Detection of one class against one measure of the defect."""

    defect: str = Field(..., description="The class.")
    measure: str = Field(..., description="What `size` is: size or contrast.")
    unit: str = Field(..., description="Its unit; empty for a plain number.")
    held: str = Field(..., description="What the defects have in common that it is fitted on.")
    defects: int = Field(..., ge=0, description="Defects of the class in all, with those that it is not fitted on.")
    targets: tuple[Target, ...] = Field(..., description="Every defect that it is fitted on, by size.")
    ending: Ending = Field(..., description="Whether a curve could be fitted, or why not.")
    explanation: str = Field(..., description="The same in words, with the figures that can be given.")
    intercept: float | None = Field(..., description="b0 of logit POD = b0 + b1 ln(size).")
    slope: float | None = Field(..., description="b1.")
    a50: Size = Field(..., description="Size of which half are found.")
    a90: Size = Field(..., description="Size of which nine tenths are found.")
    a90_95: Size = Field(..., description="Upper limit of a90, one-sided, 95 %.")
    counted: Share90 | None = Field(..., description="What counting alone shows; None where it shows nothing.")
    curve: tuple[PodPoint, ...] = Field(..., description="The fitted curve; empty without one.")


def fit_pod(defect: str, measure: Measure, sizes: Floats, found: NDArray[np.bool_], defects: int) -> Pod:
    """Fit the detection of one class.

    Args:
        defect: The class.
        measure: What was measured of each defect.
        sizes: (n,) above 0, of the defects that have `measure.held`; n may be 0.
        found: (n,).
        defects: How many the class has in all.
    """
    order = np.argsort(sizes, kind="stable")
    sizes, found = np.asarray(sizes, np.float64)[order], found[order]
    ending, model = _fit(np.log(sizes), found)
    a50, a90, a90_95 = _key_sizes(np.log(sizes), found, model)
    return Pod(
        defect=defect,
        measure=measure.name,
        unit=measure.unit,
        held=measure.held,
        defects=defects,
        targets=tuple(Target(size=float(size), found=bool(hit)) for size, hit in zip(sizes, found, strict=True)),
        ending=ending,
        explanation=f"{len(sizes)} of {defects} defects are of {measure.held}. "
        + _explain(ending, sizes, found, measure.unit, a90, a90_95),
        intercept=float(model.weights[0]) if model else None,
        slope=float(model.weights[1]) if model else None,
        a50=a50,
        a90=a90,
        a90_95=a90_95,
        counted=shown_by_counting(sizes, found),
        curve=_curve(np.log(sizes), found, model) if model else (),
    )


def shown_by_counting(sizes: Floats, found: NDArray[np.bool_]) -> Share90 | None:
    """The smallest size from which on at least 90 % are found with 95 % confidence, of all defects that large.

    It takes 29 defects without a miss, 46 with one. Sizes must rise.
    """
    for start in np.flatnonzero(np.diff(sizes, prepend=0) > 0):
        hits, targets = int(found[start:].sum()), len(found) - int(start)
        if binomial_tail(targets - hits, targets, 0.1) <= 0.05:
            return Share90(size=float(sizes[start]), targets=targets, found=hits)
    return None


def _fit(x: Floats, found: NDArray[np.bool_]) -> tuple[Ending, Logistic | None]:
    if not len(found):
        return "none tried", None
    if found.all():
        return "all found", None
    if not found.any():
        return "none found", None
    if x.min() < x.max() and x[~found].max() <= x[found].min():
        return "separated", None
    model = fit_logistic(x[:, None], found)
    if model is None or model.weights[1] <= 0:
        return "not rising", None
    return "fitted", model


def _key_sizes(x: Floats, found: NDArray[np.bool_], model: Logistic | None) -> tuple[Size, Size, Size]:
    if model is None:
        return None, None, None
    b0, b1 = (float(weight) for weight in model.weights)
    keys = (-b0 / b1, (LOGIT_90 - b0) / b1, upper_size(x[:, None], found, model, LOGIT_90, NO_OTHERS))
    a50, a90, a90_95 = (float(np.exp(key)) if key is not None and x.min() <= key <= x.max() else None for key in keys)
    return a50, a90, a90_95


def _curve(x: Floats, found: NDArray[np.bool_], model: Logistic) -> tuple[PodPoint, ...]:
    points = []
    for at in np.linspace(x.min(), x.max(), CURVE_POINTS):
        logit = float(model.weights[0] + model.weights[1] * at)
        lower = _probability(lower_logit(x[:, None], found, model, np.array([at])))
        points.append(PodPoint(size=float(np.exp(at)), pod=_probability(logit), lower=lower))
    return tuple(points)


def _probability(logit: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(logit, -500, 500))))


def _explain(ending: Ending, sizes: Floats, found: NDArray[np.bool_], unit: str, a90: Size, a90_95: Size) -> str:
    if ending == "none tried":
        return "Without any there is no curve."
    words = _WORDS[ending](sizes, found, f" {unit}" if unit else "")
    if ending == "fitted" and a90 is None:
        words += " Nine tenths are reached nowhere among them: a90 is not estimable."
    elif ending == "fitted" and a90_95 is None:
        words += " The upper limit of a90 lies above what was tried: a90/95 is not estimable."
    if len(sizes) < FEWEST_TARGETS:
        words += f" {len(sizes)} defects are fewer than the {FEWEST_TARGETS} that MIL-HDBK-1823A asks for."
    return words


def _all_found(sizes: Floats, found: NDArray[np.bool_], unit: str) -> str:
    least = 1 - upper_limit(0, len(found), 0.95)
    return (
        f"All {len(found)} were found, down to {sizes.min():.3g}{unit}; a90 is not estimable without a miss. "
        f"Of defects like these at least {percent(least)} are found, with 95 % confidence."
    )


def _none_found(sizes: Floats, found: NDArray[np.bool_], unit: str) -> str:
    most = clopper_pearson(0, len(found), 0.9)[1]
    return (
        f"None of {len(found)} was found, up to {sizes.max():.3g}{unit}; of such defects at most {percent(most)} are."
    )


def _separated(sizes: Floats, found: NDArray[np.bool_], unit: str) -> str:
    missed, hit = sizes[~found].max(), sizes[found].min()
    return (
        f"Every defect above {hit:.3g}{unit} was found, every one below {missed:.3g}{unit} was missed. a90 lies in "
        "between; without an overlap no curve can be fitted and a90/95 is not estimable."
    )


def _not_rising(sizes: Floats, found: NDArray[np.bool_], unit: str) -> str:
    return (
        f"{found.sum()} of {len(found)} were found from {sizes.min():.3g} to {sizes.max():.3g}{unit}, but no more of "
        "the large than of the small: this measure does not decide over detection, and a90 is not estimable."
    )


def _fitted(sizes: Floats, found: NDArray[np.bool_], unit: str) -> str:
    return f"{found.sum()} of {len(found)} were found, from {sizes.min():.3g} to {sizes.max():.3g}{unit}."


_WORDS = {
    "fitted": _fitted,
    "all found": _all_found,
    "none found": _none_found,
    "separated": _separated,
    "not rising": _not_rising,
}
