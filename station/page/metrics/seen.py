"""What the station says of itself now, as metrics: nothing but that where it is not heard."""

from collections.abc import Iterator
from typing import Any

from station.page.metrics.exposition import Family, Sample

Sections = dict[str, Any]
WORD = {True: "yes", False: "no"}


def seen(sections: Sections, *, live: bool) -> Iterator[Family]:
    """The metrics of the cell.

    Args:
        sections: What the station said; see `station/host/watch.md`.
        live: Whether it is heard now.
    """
    yield _gauge("station_heard", "Whether the station is heard.", ("", {}, float(live)))
    if not live:
        return
    yield _gauge("station_state", "1 for the PackML state that the cell is in.", _state(sections["cell"]["state"]))
    permission = float(sections["line"]["permission"])
    yield _gauge("station_line_permission", "Whether the line permits another part.", ("", {}, permission))
    yield _gauge("station_alarms", "Alarms on the list.", *_alarms(sections["alarms"]))
    bins = [(bin_, {"place": bin_["place"]}) for bin_ in sections["bins"]]
    yield _gauge(
        "station_bin_parts", "Parts laid there since the station started.",
        *(("", labels, float(bin_["parts"])) for bin_, labels in bins),
    )  # fmt: skip
    yield _gauge(
        "station_bin_full", "Whether the line says that it is full.",
        *(("", labels, float(bin_["full"])) for bin_, labels in bins),
    )  # fmt: skip


def _state(state: str) -> Sample:
    return "", {"state": state}, 1.0


def _alarms(alarms: list[Sections]) -> Iterator[Sample]:
    """How many are active or over, acknowledged or not; of every kind a number."""
    for active in (True, False):
        for acknowledged in (True, False):
            if active or not acknowledged:
                labels = {"active": WORD[active], "acknowledged": WORD[acknowledged]}
                found = sum((one["active"], one["acknowledged"]) == (active, acknowledged) for one in alarms)
                yield "", labels, float(found)


def _gauge(name: str, tells: str, *samples: Sample) -> Family:
    return Family(name, "gauge", tells, samples)
