"""What every table of a file that the station reads has in common: the configuration, a bundle's manifest."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0, le=600)]


class Section(BaseModel):
    """A table of such a file: frozen, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)
