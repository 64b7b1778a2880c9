"""What a bundle's manifest says of the share of defective parts that pass."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from station.core.promise import PartsKind, Promise
from station.core.section import Section

PROMISE: Literal["promise.json"] = "promise.json"
"""The file, in a bundle's folder, with every part on which it rests."""

Share = Annotated[float, Field(gt=0, lt=1)]


class ProvenType(Section):
    """What was proven of one part type; see `station.core.promise.Promise`."""

    target: Share = Field(..., description="Share of defective parts that may pass.")
    confidence: Share = Field(..., description="With which no more do.")
    threshold: Annotated[
        float | None, Field(gt=0, le=1, description="Least confidence of a pass; None where nothing is proven.")
    ]
    parts: int = Field(..., ge=0, description="Distinct defective parts; none was trained on.")
    escapes: int = Field(..., ge=0, description="Of them passed at the threshold, or at the safest one.")
    missing: int = Field(..., ge=0, description="More defective parts that are needed; 0 where it is proven.")
    kind: PartsKind = Field(..., description="What the parts are.")
    source: str = Field(..., min_length=1, description="Where they are from, for people.")
    made: datetime = Field(..., description="When they were judged, UTC.")
    measured_by: str = Field(..., min_length=1, description="Engine and precision.")

    @model_validator(mode="after")
    def _is_proven_or_not(self) -> Self:
        if (self.threshold is None) != (self.missing > 0):
            raise ValueError(f"threshold {self.threshold} with {self.missing} parts missing")
        return self

    def value(self, part_type: str, model: str) -> Promise:
        """The same as the type that flows."""
        return Promise(part_type=part_type, model=model, **self.model_dump(exclude={"source"}))


class PromiseFile(Section):
    """What was proven, by part type."""

    file: Literal["promise.json"] = PROMISE
    types: dict[str, ProvenType] = Field(..., min_length=1, description="By part type.")
