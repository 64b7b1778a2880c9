"""Probability of detection against the size of a defect: what is found, from which size on, and how sure that is.

a50 and a90 are the sizes of which half and nine tenths are found; a90/95 is the one-sided upper limit of a90 with 95 %
confidence, the figure that a requirement names. A set that no curve can be fitted to is said to be so, and why.
Source: the practice of MIL-HDBK-1823A for hit/miss data; the model and its limits are in `hit_miss`.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from models.evaluation.hit_miss import Floats, Logistic, fit_logistic, lower_logit, size_at, upper_size
from models.evaluation.rates import binomial_tail, clopper_pearson, upper_limit
from models.evaluation.words import percent
from models.manifest import Section

FEWEST_TARGETS = 60
"""That MIL-HDBK-1823A asks of hit/miss data."""
LOGIT_90 = float(np.log(9.0))
CURVE_POINTS = 25
NO_OTHERS = np.zeros(0)

Size = float | None
"""In the unit of the curve; None where it cannot be estimated, or lies outside what was tried."""
Ending = Literal["fitted", "all found", "none found", "separated", "not rising"]


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
    targets: tuple[Target, ...] = Field(..., description="Every defect, by size.")
    ending: Ending = Field(..., description="Whether a curve could be fitted, or why not.")
    explanation: str = Field(..., description="The same in words, with the figures that can be given.")
    intercept: float | None = Field(..., description="b0 of logit POD = b0 + b1 ln(size).")
    slope: float | None = Field(..., description="b1.")
    a50: Size = Field(..., description="Size of which half are found.")
    a90: Size = Field(..., description="Size of which nine tenths are found.")
    a90_95: Size = Field(..., description="Upper limit of a90, one-sided, 95 %.")
    counted: Share90 | None = Field(..., description="What counting alone shows; None where it shows nothing.")
    curve: tuple[PodPoint, ...] = Field(..., description="The fitted curve; empty without one.")


class Both(Section):
    """One model of size and contrast: logit POD = constant + size ln(size) + contrast ln(contrast)."""

    constant: float = Field(..., description="The constant.")
    size: float = Field(..., gt=0, description="Weight of ln(size in mm).")
    contrast: float = Field(..., gt=0, description="Weight of ln(contrast).")
    usual_contrast: float = Field(..., gt=0, description="Median contrast that the class has at default severity.")
    a90: Size = Field(..., description="Size in mm of which nine tenths are found at the usual contrast.")
    a90_95: Size = Field(..., description="Its upper limit, one-sided, 95 %.")


def fit_pod(defect: str, measure: str, unit: str, sizes: Floats, found: NDArray[np.bool_]) -> Pod:
    """Fit the detection of one class.

    Args:
        defect: The class.
        measure: Name of what was measured of each defect.
        unit: Its unit.
        sizes: (n,) above 0, n at least 1.
        found: (n,).
    """
    order = np.argsort(sizes, kind="stable")
    sizes, found = np.asarray(sizes, np.float64)[order], found[order]
    ending, model = _fit(np.log(sizes), found)
    a50, a90, a90_95 = _key_sizes(np.log(sizes), found, model)
    return Pod(
        defect=defect,
        measure=measure,
        unit=unit,
        targets=tuple(Target(size=float(size), found=bool(hit)) for size, hit in zip(sizes, found, strict=True)),
        ending=ending,
        explanation=_explain(ending, sizes, found, unit, a90, a90_95),
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
    for start in np.flatnonzero(np.append(True, np.diff(sizes) > 0)):
        hits, targets = int(found[start:].sum()), len(found) - int(start)
        if binomial_tail(targets - hits, targets, 0.1) <= 0.05:
            return Share90(size=float(sizes[start]), targets=targets, found=hits)
    return None


def _fit(x: Floats, found: NDArray[np.bool_]) -> tuple[Ending, Logistic | None]:
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


def fit_both(sizes: Floats, contrasts: Floats, found: NDArray[np.bool_], usual: float) -> Both | None:
    """One model of size and contrast; None where it cannot be fitted, or one of them does not help detection.

    Args:
        sizes: (n,) above 0.
        contrasts: (n,) above 0.
        found: (n,).
        usual: The contrast at which a90 is wanted.
    """
    covariates = np.column_stack([np.log(sizes), np.log(contrasts)])
    model = None if found.all() or not found.any() else fit_logistic(covariates, found)
    if model is None or min(model.weights[1:]) <= 0:
        return None
    constant, size, contrast = (float(weight) for weight in model.weights)
    others = np.array([np.log(usual)])
    keys = (size_at(model, LOGIT_90, others), upper_size(covariates, found, model, LOGIT_90, others))
    low, high = float(np.log(sizes.min())), float(np.log(sizes.max()))
    a90, a90_95 = (float(np.exp(key)) if key is not None and low <= key <= high else None for key in keys)
    return Both(constant=constant, size=size, contrast=contrast, usual_contrast=usual, a90=a90, a90_95=a90_95)


def size_found(both: Both, contrast: float) -> float:
    """Size of which nine tenths are found at a contrast."""
    return float(np.exp((LOGIT_90 - both.constant - both.contrast * np.log(contrast)) / both.size))
