"""What the plant is told of the cell, each value once: its name, its kind, and how it follows from what was heard.

    Follower: sections (`station/host/watch.md`) ──▶ rows_of ──▶ metrics of Sparkplug, variables of OPC UA
    records: what ended ───────────────────────────▶ RESULT ──▶ the same, and events

While the station is not heard nothing is known of the cell, and every value is None.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from station.cell.packml import State
from station.core.moments import moment
from station.core.records import JsonObject
from station.core.verdicts import Classes

Sections = Mapping[str, Any]
Value = bool | int | float | str


class Kind(Enum):
    """What a value is: a number of a table, a count from 0, a measure, a flag, text, a moment."""

    NUMBER = auto()
    COUNT = auto()
    REAL = auto()
    FLAG = auto()
    TEXT = auto()
    DATE = auto()


@dataclass(frozen=True, slots=True)
class Row:
    """One value.

    Attributes:
        name: With slashes between its levels, for example `Cell/State`.
        kind: What it is; a DATE is in milliseconds since 1970 UTC.
        of: Its value, from the sections that were heard; None where it has none now.
    """

    name: str
    kind: Kind
    of: Callable[[Sections], Value | None]


STATE, STATE_NUMBER = "Cell/State", "Cell/State Number"
HEARD = "Station/Heard"


def rows_of(table: Classes) -> tuple[Row, ...]:
    """Every value of a cell with these verdicts and places."""
    return (
        Row(STATE, Kind.TEXT, lambda told: told["cell"]["state"]),
        Row(STATE_NUMBER, Kind.NUMBER, lambda told: int(State[told["cell"]["state"]])),
        Row("Cell/Since", Kind.DATE, lambda told: milliseconds(told["cell"]["since"])),
        Row("Cell/Ended By", Kind.TEXT, lambda told: told["cell"]["ends"]),
        *(Row(f"Cell/Reason/{name.title()}", kind, _reason(name)) for name, kind in REASON.items()),
        Row("Line/Permission", Kind.FLAG, lambda told: told["line"]["permission"]),
        Row("Line/Fault", Kind.TEXT, lambda told: (told["line"]["fault"] or {}).get("code")),
        Row("Line/Waiting Part", Kind.TEXT, lambda told: (told["line"]["waiting"] or {}).get("id")),
        Row("Hand/Who", Kind.TEXT, lambda told: (told["hand"] or {}).get("who")),
        Row("Hand/Until", Kind.DATE, lambda told: milliseconds((told["hand"] or {}).get("until"))),
        *(Row(f"Part/{name.title()}", Kind.TEXT, _part(name)) for name in ("inspection", "id", "type", "step")),
        *(Row(f"Counters/{name.title()}", Kind.COUNT, _counter(name)) for name in ("sorted", "lost", "withdrawn")),
        *(Row(f"Counters/Verdicts/{verdict.name}", Kind.COUNT, _verdict(verdict.name)) for verdict in table.verdicts),
        *(
            Row(f"Places/{place.name}/{name.title()}", kind, _place(place.name, name))
            for place in table.places
            for name, kind in (("parts", Kind.COUNT), ("full", Kind.FLAG))
        ),
        Row("Alarms/Active", Kind.COUNT, lambda told: sum(alarm["active"] for alarm in told["alarms"])),
        Row("Alarms/Unacknowledged", Kind.COUNT, lambda told: sum(not one["acknowledged"] for one in told["alarms"])),
        Row("Alarms/Newest", Kind.TEXT, lambda told: told["alarms"][0]["code"] if told["alarms"] else None),
        Row("Promise/Suspended", Kind.FLAG, _suspended),
    )


RESULT: dict[str, tuple[Kind, str]] = {
    "Inspection": (Kind.TEXT, "inspection_id"),
    "Part": (Kind.TEXT, "part_id"),
    "Type": (Kind.TEXT, "part_type"),
    "Ended": (Kind.TEXT, "state"),
    "Verdict": (Kind.TEXT, "verdict"),
    "Confidence": (Kind.REAL, "confidence"),
    "Deciding Patch": (Kind.NUMBER, "deciding_patch"),
    "Defect Patches": (Kind.NUMBER, "defect_patches"),
    "Reason": (Kind.TEXT, "reason"),
    "Detail": (Kind.TEXT, "detail"),
    "Destination": (Kind.TEXT, "destination"),
    "Confirmed": (Kind.TEXT, "confirmed_bin"),
    "Ms After Last Line": (Kind.REAL, "ms_after_last_line"),
    "Model": (Kind.TEXT, "model"),
    "Model Sha256": (Kind.TEXT, "model_sha256"),
    "Entered At": (Kind.DATE, "entered_at"),
}
"""What is told of a part that ended, each with its column of the records."""
ENDS = ("sorted_at", "lost_at", "withdrawn_at")


def result_of(record: JsonObject) -> dict[str, Value | None]:
    """The values of `RESULT` by name, of the flat columns of a record."""
    return {
        name: milliseconds(record[column]) if kind is Kind.DATE else record[column]
        for name, (kind, column) in RESULT.items()
    }


def ended_ms(record: JsonObject) -> int:
    """When a part ended, in milliseconds since 1970 UTC."""
    return next(ms for column in ENDS if (ms := milliseconds(record[column])) is not None)


def milliseconds(at: str | None) -> int | None:
    """A moment of the records in milliseconds since 1970 UTC."""
    return None if at is None else round(moment(at).timestamp() * 1000)


REASON = {"code": Kind.TEXT, "number": Kind.NUMBER, "text": Kind.TEXT, "detail": Kind.TEXT}
"""What is told of why the cell does not run."""


def _reason(name: str) -> Callable[[Sections], Value | None]:
    return lambda told: (told["cell"]["reason"] or {}).get(name)


def _part(name: str) -> Callable[[Sections], Value | None]:
    return lambda told: (told["part"] or {}).get(name)


def _counter(name: str) -> Callable[[Sections], Value | None]:
    return lambda told: told["counters"][name]


def _verdict(name: str) -> Callable[[Sections], Value | None]:
    return lambda told: told["counters"]["verdicts"].get(name, 0)


def _place(place: str, name: str) -> Callable[[Sections], Value | None]:
    return lambda told: next(row[name] for row in told["bins"] if row["place"] == place)


def _suspended(told: Sections) -> bool:
    return any(drift["promise_suspended"] for drift in told["drift"].values())
