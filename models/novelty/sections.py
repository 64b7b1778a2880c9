"""What a bundle's manifest says of features, of what was trained on, and of good parts that were held against it."""

from typing import Literal

from pydantic import Field

from station.core.section import Section

NOVELTY: Literal["novelty.npz"] = "novelty.npz"
CALIBRATION: Literal["calibration.json"] = "calibration.json"
"""The files, in a bundle's folder."""


class Features(Section):
    """The second thing that every artefact answers: what the network saw of each patch before it chose a class."""

    name: str = Field(..., min_length=1, description="Which values of the network these are.")
    length: int = Field(..., ge=1, description="Values of a patch.")


class NoveltyReference(Section):
    """What patches of the training were like."""

    file: Literal["novelty.npz"] = NOVELTY
    source: str = Field(..., description="Where the patches come from.")
    patches: int = Field(..., ge=1, description="Patches of the training that it was made of.")
    seed: int = Field(..., ge=0, description="Of their choice.")


class CalibratedType(Section):
    """Good parts of one type that were held against the reference."""

    parts: int = Field(..., ge=1, description="Distinct good parts; none was trained on.")
    source: str = Field(..., min_length=1, description="What they are, for people.")
    measured_by: str = Field(..., min_length=1, description="Engine and precision.")


class CalibrationFile(Section):
    """What good parts came to."""

    file: Literal["calibration.json"] = CALIBRATION
    types: dict[str, CalibratedType] = Field(..., min_length=1, description="By part type.")
