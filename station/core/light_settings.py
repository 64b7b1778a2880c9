"""The configuration's `[light]`: what light parts are judged in, and what the exposure may do to keep it."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from station.core.light import Lighting
from station.core.section import Section

GreyLevel = Annotated[float, Field(ge=16, le=240)]
Exposure = Annotated[float, Field(gt=0, le=1_000_000)]


class LightSettings(Section):
    """The light that parts are judged in."""

    reference: GreyLevel | None = Field(
        None,
        description="Median grey value of the parts that the network knows; empty for what its bundle says. Where "
        "neither says it, every part is judged as it was seen.",
    )
    tolerance: float = Field(
        0.46,
        ge=0.02,
        le=0.9,
        description="A part that is no more than 1 + tolerance times as bright, or as dark, is judged as it was seen.",
    )
    min_gain: float = Field(
        0.4, ge=0.1, le=1, description="Least factor of a part's grey values; brighter parts go to REVIEW."
    )
    max_gain: float = Field(
        3.8, ge=1, le=8, description="Greatest factor of a part's grey values; darker parts go to REVIEW."
    )
    exposure_min_us: Exposure | None = Field(
        None, description="Shortest exposure that the station itself may set between parts; empty: it never does."
    )
    exposure_max_us: Exposure | None = Field(None, description="Longest one; both are given, or neither.")

    @model_validator(mode="after")
    def _limits_are_given_together(self) -> Self:
        if (self.exposure_min_us is None) != (self.exposure_max_us is None):
            raise ValueError("exposure_min_us and exposure_max_us are given together")
        return self

    def lighting(self, reference: float | None) -> Lighting:
        """What parts are judged in whose network knows this median grey value; None where nobody says it."""
        return Lighting(reference, self.tolerance, self.min_gain, self.max_gain)
