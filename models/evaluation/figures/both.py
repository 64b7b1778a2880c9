"""One model of size and contrast: how large a defect must be to be found at the contrast that it usually has.

It is fitted on defects of every size and contrast. It assumes that contrast makes up for size by one law everywhere,
which the curves of one measure alone (`models.evaluation.figures.pod`) do not; where both speak, they check it.
No size is given at which nothing of that contrast was tried: a thin scratch is pale, whatever its depth.
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from models.evaluation.figures.hit_miss import Floats, Logistic, fit_logistic, size_at, upper_size
from models.evaluation.figures.pod import LOGIT_90, Size
from station.core.section import Section


class Weights(Section):
    """logit POD = constant + size ln(size in mm) + contrast ln(contrast)."""

    constant: float
    size: float = Field(..., gt=0)
    contrast: float = Field(..., gt=0)


class Both(Section):
    """The model of one class."""

    defects: int = Field(..., ge=1, description="Defects that it is fitted on: all of the class.")
    found: int = Field(..., ge=0, description="Of them found.")
    weights: Weights | None = Field(..., description="None where it cannot be fitted.")
    a90: Size = Field(..., description="Size in mm of which nine tenths are found at the usual contrast.")
    a90_95: Size = Field(..., description="Its upper limit, one-sided, 95 %.")
    explanation: str = Field(..., description="Why something cannot be given; empty where everything is.")


def fit_both(sizes: Floats, contrasts: Floats, found: NDArray[np.bool_], usual: float) -> Both:
    """Fit the model of one class.

    Args:
        sizes: (n,) above 0, n at least 1.
        contrasts: (n,) above 0.
        found: (n,).
        usual: The contrast at which a90 is wanted.
    """
    covariates = np.column_stack([np.log(sizes), np.log(contrasts)])
    model, why = _fit(covariates, found)
    a90, a90_95 = _key_sizes(covariates, found, model, usual) if model else (None, None)
    if model and a90 is None:
        why = f"At a contrast of {usual:.2g} nine tenths are reached at no size that was tried with as much contrast."
    elif model and a90_95 is None:
        why = "The upper limit of a90 lies above what was tried: a90/95 is not estimable."
    names = ("constant", "size", "contrast")
    return Both(
        defects=len(found),
        found=int(found.sum()),
        weights=Weights(**dict(zip(names, map(float, model.weights), strict=True))) if model else None,
        a90=a90,
        a90_95=a90_95,
        explanation=why,
    )


def size_found(weights: Weights, contrast: float) -> float:
    """Size in mm of which nine tenths are found at a contrast."""
    return float(np.exp((LOGIT_90 - weights.constant - weights.contrast * np.log(contrast)) / weights.size))


def _fit(covariates: Floats, found: NDArray[np.bool_]) -> tuple[Logistic | None, str]:
    """The model, or why there is none."""
    if found.all() or not found.any():
        return None, f"{'All' if found.all() else 'None'} of {len(found)} were found: no model can be fitted."
    model = fit_logistic(covariates, found)
    if model is None:
        return None, "No model can be fitted: hits and misses do not overlap, or size and contrast do not vary apart."
    for name, weight in zip(("large", "strong"), model.weights[1:], strict=True):
        if weight <= 0:
            return None, f"The {name} are not found more often than the others: the model does not hold."
    return model, ""


def _key_sizes(covariates: Floats, found: NDArray[np.bool_], model: Logistic, usual: float) -> tuple[Size, Size]:
    others = np.array([np.log(usual)])
    tried = covariates[covariates[:, 1] >= others[0], 0]
    keys = (size_at(model, LOGIT_90, others), upper_size(covariates, found, model, LOGIT_90, others))
    a90, a90_95 = (float(np.exp(key)) if key is not None and _within(key, tried) else None for key in keys)
    return a90, a90_95


def _within(key: float, tried: Floats) -> bool:
    return len(tried) > 0 and bool(tried.min() <= key <= tried.max())
