"""What stands in the register maps of what is inspected: codes of verdicts and places, from the configuration's table.

In a map's file `values_of = "verdicts"` or `"places"` stands for the names of all codes, `{places_by_bit}` in a meaning
for the places that the bits of one word mean, `{patches}` for the most patches that a part may have.
"""

from itertools import pairwise
from typing import Any

from station.core.verdicts import Inspected, Place

NONE = {"0": "none"}


def filled(document: dict[str, Any], inspected: Inspected) -> dict[str, Any]:
    """A map's document with everything in it that the configuration says."""
    rows = document.get("register")
    if not isinstance(rows, list):
        return document
    return document | {"register": [_filled(row, inspected) if isinstance(row, dict) else row for row in rows]}


def _filled(row: dict[str, Any], inspected: Inspected) -> dict[str, Any]:
    values = {
        "verdicts": {str(verdict.code): verdict.name for verdict in inspected.table.verdicts},
        "places": {str(place.code): place.name for place in inspected.table.places},
    }
    named = {key: value for key, value in row.items() if key != "values_of"}
    if (source := row.get("values_of")) in values:
        named["values"] = NONE | values[source]
    elif source is not None:
        named["values_of"] = source  # refused where the row is checked
    if isinstance(meaning := row.get("meaning"), str):
        named["meaning"] = meaning.replace("{places_by_bit}", _by_bit(inspected.table.places)).replace(
            "{patches}", str(inspected.patches)
        )
    return named


def _by_bit(places: tuple[Place, ...]) -> str:
    """For people: `bit 0 a to bit 5 f`, or each by itself where codes are left out."""
    bits = [f"bit {place.code - 1} {place.name}" for place in places]
    unbroken = all(after.code == before.code + 1 for before, after in pairwise(places))
    return f"{bits[0]} to {bits[-1]}" if unbroken and len(bits) > 1 else ", ".join(bits)
