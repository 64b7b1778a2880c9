"""The configuration's `[drift]`: how far parts, lamp, focus and lens may drift before it is an alarm."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from station.core.drift.limits import Limits
from station.core.section import Section

Column = Annotated[int, Field(ge=0, le=65_536)]


class DriftSettings(Section):
    """Whether things are still as when it was measured what the station may promise."""

    false_alarm: float = Field(
        0.01,
        gt=0,
        le=0.2,
        description="Chance, at the most, that quality.drift is ever raised of a part type whose parts have not "
        "changed, from one calibration to the next or over 20,000 parts.",
    )
    alpha: float = Field(
        0.05,
        ge=0,
        le=0.2,
        description="As novelty.alpha, while quality.drift holds of the part type and this is more.",
    )
    lamp_min: float = Field(0.8, gt=0, lt=1, description="Of its light at first that the lamp must give.")
    edge_max: float = Field(
        1.5, gt=1, le=10, description="So many times as wide as at first the part's edges may be in the picture."
    )
    streak_max: float = Field(
        3.0, gt=0, le=100, description="By so many grey values more than at first a streak may stand out of the black."
    )
    reference_px: Annotated[
        tuple[Column, Column] | None,
        Field(
            description="Columns of the sensor in which every scan shows the same, as a grey strip on the jig: the "
            "first, and the one after the last. By default the black background beside the part."
        ),
    ] = None

    @model_validator(mode="after")
    def _reference_has_columns(self) -> Self:
        if self.reference_px is not None and self.reference_px[0] >= self.reference_px[1]:
            left, right = self.reference_px
            raise ValueError(f"reference_px: the first column, {left}, is not before the one after the last, {right}")
        return self

    @property
    def limits(self) -> Limits:
        """The same as the values that flow."""
        return Limits(self.lamp_min, self.edge_max, self.streak_max, 1 / self.false_alarm)
