"""How a cell comes by networks that are made for many: the table [fleet]."""

from pydantic import Field

from station.core.section import Section


class FleetSettings(Section):
    """How this cell comes by networks that are made for many."""

    channel: str = Field("", description="Folder that signed bundles come through; empty for none.")
    ring: int = Field(
        1, ge=1, le=999, description="The ring of cells that this one is of; ring 1 has new bundles first."
    )
    trusted: list[str] = Field(
        default=[], description="Public keys of those who sign, as `station model keys` prints them."
    )
    shadow_parts: int = Field(
        200,
        ge=0,
        le=1_000_000,
        description="Parts of this cell that a bundle from the channel must have judged beside the present one before "
        "anybody may promote it.",
    )
