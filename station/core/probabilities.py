"""What counts as probabilities of patches, and which class each patch has by them. Pure functions.

Who takes a network's answer, decides by it, counts it or draws it asks here, so that no picture and no report calls a
patch otherwise than the decision did.
"""

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-3
"""By how much a probability may exceed 1, and the sum of a patch's may miss it.

Room for an engine that answers in float16, which rounds each by 2^-11 of itself and so a sum by no more than 0.0005. It
is nothing that a decision turns on: a least confidence is given to three digits.
Source: all engines of the shipped bundle missed 1 by 1.6e-7 at most, in int8, bf16 and f32; measured 2026-11-30.
"""


def problem_of(probabilities: NDArray[np.floating]) -> str | None:
    """Why these are no probabilities, in words; None where they are, and where there are none.

    Args:
        probabilities: (patches, classes).
    """
    if not np.isfinite(probabilities).all():
        return "an answer is not a finite number"
    if not probabilities.size:
        return None
    if probabilities.min() < 0 or probabilities.max() > 1 + TOLERANCE:
        return f"answers from {probabilities.min():g} to {probabilities.max():g}, not within 0 to 1"
    sums = probabilities.sum(axis=1)
    missed = sums[np.abs(sums - 1) > TOLERANCE]
    return f"sums {', '.join(f'{value:g}' for value in missed)} of patches are not 1" if missed.size else None


def problem_of_answer(answer: NDArray[np.floating], shape: tuple[int, int]) -> str | None:
    """Why a network's answer cannot be used, in words; None where it can.

    Args:
        answer: What it answered.
        shape: What was asked for, (patches, classes) float32.
    """
    if answer.shape != shape or answer.dtype != np.float32:
        return f"answer is {answer.shape} {answer.dtype}, not {shape} float32"
    return problem_of(answer)


def columns_of(answers: NDArray[np.floating], passing: int | None) -> NDArray[np.intp]:
    """The column of each patch's class, (...): the most probable one.

    A patch in which a defect is as probable as what passes is a defect; of equally probable defects the first column
    is taken.

    Args:
        answers: (..., classes), probabilities or logits.
        passing: The column of what passes; None where nothing does, and the first of the most probable is taken.
    """
    if passing is None:
        return np.asarray(answers.argmax(axis=-1), np.intp)
    defects = answers.copy()
    defects[..., passing] = -np.inf
    worst = defects.argmax(axis=-1)
    return np.where(defects.max(axis=-1) >= answers[..., passing], worst, passing)
