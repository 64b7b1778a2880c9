"""Whether an artefact decides as the torch network does, and how far its probabilities are off."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.manifest import Kind, Parity
from station.core.algorithm1 import algorithm1
from station.core.choices import EngineName, Precision
from station.core.part import Probabilities
from station.core.probabilities import columns_of
from station.core.verdicts import Outputs

MAX_CHANGED_SHARE = 0.001
"""Share of the parts that an artefact may decide otherwise than the network that it was made from.

Chosen as the least that still lets one part in a thousand lie on the border. Of the shipped network in INT8 1 of 1,400
parts was decided otherwise than in f32 and 0 of 113 otherwise than by torch; of fewer than 1,000 parts none may be.
Measured 2026-11-22, `models/README.md`.
"""


def compare(
    reference: Sequence[Probabilities],
    found: Sequence[Probabilities],
    outputs: Outputs,
    ran: tuple[EngineName, Precision],
    of: tuple[Kind, str],
) -> Parity:
    """Compare the probabilities (patches, classes) of parts, in the same order; a picture is a part of one patch.

    Args:
        reference: Of the torch network.
        found: Of the artefact.
        outputs: What the columns mean.
        ran: What ran the artefact, and in which arithmetic.
        of: Whole parts or pictures, and which, for the reader.
    """
    before, after = np.stack(reference), np.stack(found)
    return Parity(
        engine=ran[0],
        precision=ran[1],
        kind=of[0],
        source=of[1],
        parts=len(before),
        changed_parts=len(changed_parts(before, after, outputs)),
        patches=before.shape[0] * before.shape[1],
        changed_patches=int((columns_of(before, outputs.passing) != columns_of(after, outputs.passing)).sum()),
        largest_difference=float(np.abs(before - after).max()),
    )


def arithmetic_for(found: Sequence[Parity], wanted: tuple[EngineName, Precision]) -> Precision:
    """The fastest arithmetic of an engine that decides as the network: the wanted one where that does.

    Args:
        found: Every artefact against the torch network.
        wanted: The engine, and the arithmetic in which it shall compute.

    Returns:
        One of those found, or f32 where none decides so.
    """
    engine, precision = wanted
    sound = {one.precision for one in found if one.engine == engine and not is_broken(one)}
    faster: tuple[Precision, ...] = ("int8", "bf16", "f32")
    return next((one for one in faster[faster.index(precision) :] if one in sound), "f32")


def changed_parts(before: NDArray[np.float32], after: NDArray[np.float32], outputs: Outputs) -> list[int]:
    """Indices of the parts (n, patches, classes) whose class by Algorithm 1 is another."""
    verdicts = ([algorithm1(part, outputs).verdict for part in parts] for parts in (before, after))
    return [number for number, (one, two) in enumerate(zip(*verdicts, strict=True)) if one != two]


def is_broken(parity: Parity) -> bool:
    """Whether more parts are decided otherwise than may be."""
    return parity.changed_parts > MAX_CHANGED_SHARE * parity.parts
