"""Whether an artefact decides as the torch network does, and how far its probabilities are off."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.manifest import Engine, Parity, Precision
from station.core.algorithm1 import algorithm1
from station.core.part import Probabilities

MAX_CHANGED_SHARE = 0.001
"""Share of the parts that an artefact may decide otherwise than the network that it was made from."""


def compare(
    reference: Sequence[Probabilities],
    found: Sequence[Probabilities],
    engine: Engine,
    precision: Precision,
    source: str,
) -> Parity:
    """Compare the probabilities (16, 5) of parts, in the same order.

    Args:
        reference: Of the torch network.
        found: Of the artefact.
        engine: What ran it.
        precision: In which arithmetic.
        source: What the parts are, for the reader.
    """
    before, after = np.stack(reference), np.stack(found)
    return Parity(
        engine=engine,
        precision=precision,
        source=source,
        parts=len(before),
        changed_parts=len(changed_parts(before, after)),
        patches=before.shape[0] * before.shape[1],
        changed_patches=int((before.argmax(axis=2) != after.argmax(axis=2)).sum()),
        largest_difference=float(np.abs(before - after).max()),
    )


def changed_parts(before: NDArray[np.float32], after: NDArray[np.float32]) -> list[int]:
    """Indices of the parts (n, 16, 5) whose class by Algorithm 1 is another."""
    pairs = zip(before, after, strict=True)
    return [number for number, (one, two) in enumerate(pairs) if algorithm1(one).verdict != algorithm1(two).verdict]


def is_broken(parity: Parity) -> bool:
    """Whether more parts are decided otherwise than may be."""
    return parity.changed_parts > MAX_CHANGED_SHARE * parity.parts
