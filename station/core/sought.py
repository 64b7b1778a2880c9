"""What is searched for among the inspections, and a page of what was found, whatever the records are kept in."""

from dataclasses import dataclass

from station.core.records import ListedRecord


@dataclass(frozen=True, slots=True)
class Sought:
    """Conditions that all hold; None for those that are not asked.

    Attributes:
        since: Entered at this moment or later, as `station.core.moments` writes it.
        until: Entered before this moment.
        verdict: The final verdict, by name.
        part_type: Name of the part's type.
        reason: Why it is no other verdict, a fault's code.
        defect: A class that was found on the part, whatever became of it.
        model: Name of the network that judged it.
        part: The part's id, or how the inspection's begins.
        inspections: One of these, by their ids.
    """

    since: str | None = None
    until: str | None = None
    verdict: str | None = None
    part_type: str | None = None
    reason: str | None = None
    defect: str | None = None
    model: str | None = None
    part: str | None = None
    inspections: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Some of what was found.

    Attributes:
        rows: The newest first.
        before: What the next page is asked with; None after the last one.
    """

    rows: tuple[ListedRecord, ...]
    before: int | None
