"""What the records call verdicts and places: their names in the configuration, read back through its table."""

from station.core.classes import Destination, Verdict
from station.core.verdicts import Classes


def verdict_name(verdict: Verdict) -> str:
    """The verdict's name in the records."""
    return verdict.label


def place_name(place: Destination) -> str:
    """The place's name in the records."""
    return place.label


def verdict_named(name: str, table: Classes) -> Verdict:
    """The verdict that the records call so; REVIEW for a name that the table does not have, or has no more."""
    return Verdict.__members__.get(table.named(name).name.upper(), Verdict.REVIEW)
