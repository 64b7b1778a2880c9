"""What is said to the API and what it says, by shape: what is checked and what is documented are the same thing."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from station.core.records import JsonObject
from station.core.section import Section
from station.page.spoken import AT_ONCE

MOST = 500

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
InspectionId = Annotated[str, Field(min_length=1, max_length=26)]
Moment = Annotated[str, Field(description="UTC, as 2026-05-01T06:00:00.123Z.")]


def _or_none(value: Any) -> Any:
    return None if value == "" else value


Said = Annotated[str | None, BeforeValidator(_or_none)]
"""A text; null where it is not known yet."""


class InspectionsAsked(Section):
    """Which inspections."""

    since: Annotated[str | None, Field(description="Entered at this time or later; one without a zone is UTC.")] = None
    until: Annotated[str | None, Field(description="Entered before this time.")] = None
    verdict: Annotated[
        tuple[str, ...], Field(description="With one of these verdicts; may be given more than once.")
    ] = ()
    part: Annotated[str | None, Field(description="Of the part with this id.")] = None
    before: Annotated[
        InspectionId | None, Field(description="Older than this inspection: `next` of the answer before.")
    ] = None
    limit: Annotated[int, Field(ge=1, le=MOST, description="So many at the most.")] = 100


class HistoryAsked(Section):
    """How much of the past."""

    limit: Annotated[int, Field(ge=1, le=MOST, description="So many at the most, the newest.")] = 100


class LabelsAsked(Section):
    """Whose labels."""

    inspection: Annotated[InspectionId, Field(description="The inspection, or a beginning that only one id has.")]


class InspectionRow(Section):
    """A line of the list."""

    inspection_id: InspectionId
    entered_at: Moment
    part_id: str
    part_type: str
    verdict: Said
    confidence: Annotated[float | None, BeforeValidator(_or_none)]
    reason: Annotated[Said, Field(description="Code of the fault that sent it to review or ended it.")]
    confirmed_bin: Said


class InspectionPage(Section):
    """A piece of the list, the newest first."""

    inspections: list[InspectionRow]
    next: Annotated[str | None, Field(description="Give it as `before` for the next piece; null at the end.")]


class Patch(Section):
    """What the network says of one patch."""

    index: Annotated[int, Field(ge=0, description="From 0, strip by strip.")]
    name: Annotated[str, Field(description="Its class.")]
    probability: Annotated[float, Field(description="Of that class.")]


class Inspection(Section):
    """Everything that is recorded of one inspection."""

    record: Annotated[
        JsonObject, Field(description="As `station records show --json` tells it: defects, scores, lines, orders, …")
    ]
    patches: Annotated[list[Patch], Field(description="Those that were scored.")]


class Labels(Section):
    """Everything that was ever said of one inspection, by its time."""

    labels: list[JsonObject]


class LabelsSaid(Section):
    """What parts really are."""

    labels: Annotated[
        dict[InspectionId, str],
        Field(
            min_length=1,
            max_length=AT_ONCE,
            description="By the inspection's id, the name of a class, or `withdrawn`: all are taken, or none.",
        ),
    ]


class SaidBefore(Section):
    """What was said before."""

    before: Annotated[
        dict[InspectionId, str], Field(description="By the whole id, what the same one said of it; or `withdrawn`.")
    ]


class Alarms(Section):
    """Alarms, the newest first, as `station alarms list --json` tells them."""

    alarms: list[JsonObject]


class Stops(Section):
    """Every time that the cell left Execute, the newest first: when, for which state, and why."""

    stops: list[JsonObject]


class State(Section):
    """The cell as it is."""

    live: Annotated[bool, Field(description="Whether the station is heard now; else all of this is old.")]
    since: Annotated[Moment, Field(description="Since when it is heard, or is not; UTC.")]
    why: Annotated[str, Field(description="Why it is not heard.")]
    age_ms: Annotated[int | None, Field(description="How long ago it was heard; null where it is not.")]
    sections: Annotated[JsonObject, Field(description="By name; see `station/host/watch.md`.")]
