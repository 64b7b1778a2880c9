"""Parts of an archive to pick from, for the tests of labelling."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from station.core.moments import stamp
from station.labels.label import InspectionSubject, Label, WholePart
from station.labels.picking.candidate import Candidate, doubt_of

START = datetime(2026, 5, 1, 6, 0, 0, 0, UTC)
GOOD = "defect_free"


def candidate(
    number: int,
    verdict: str = GOOD,
    row: Sequence[float] | None = (0.9, 0.1),
    reason: str | None = None,
    novelty_p: float | None = None,
) -> Candidate:
    """The part of this number, inspected so many seconds after the start; `row` is what its deciding patch scored."""
    return Candidate(
        inspection_id=f"I{number:05d}",
        part_id=f"P{number:05d}",
        part_type="SMH-385",
        entered_at=stamp(after(number)),
        verdict=verdict,
        reason=reason,
        confidence=0.5,
        patch=None if row is None else 3,
        doubt=None if row is None else doubt_of(row, novelty_p),
        scan=Path(f"archive/{number}.png"),
        sha256=f"{number:064x}",
    )


def after(seconds: float) -> datetime:
    """A moment after the start."""
    return START + timedelta(seconds=seconds)


def said(one: Candidate, class_name: str, who: str = "ada") -> Label:
    """What somebody says of a whole part."""
    return Label(InspectionSubject(one.inspection_id), WholePart(), class_name, who, after(1e6))
