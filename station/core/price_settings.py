"""The configuration's `[decision.prices]`: what goes wrong costs."""

from typing import Annotated

from pydantic import Field

from station.core.cost import WINDOW
from station.core.rulings import Prices
from station.core.section import Section

Price = Annotated[float, Field(ge=0, le=1e12)]


class PriceSettings(Section):
    """Prices, all in one currency, for the rule `cost` and for reports."""

    escape: Price = Field(..., description="What a defective part costs that passes.")
    overkill: Price = Field(..., description="What a good part costs that is rejected.")
    review: Price = Field(..., description="What it costs that people look at a part.")
    currency: str = Field("", max_length=8, description="What reports call it.")
    reviews: Annotated[
        int | None,
        Field(ge=0, le=WINDOW, description=f"Of {WINDOW} parts of a type the rule `cost` asks for no more reviews."),
    ] = None

    @property
    def value(self) -> Prices:
        """The same as the value that flows."""
        return Prices(self.escape, self.overkill, self.review)
