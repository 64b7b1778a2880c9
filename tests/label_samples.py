"""Labels for the tests of labelling."""

from datetime import UTC, datetime, timedelta

from station.labels.label import Box, InspectionSubject, Label, Mask, Patch, Region, ScanSubject, Source, WholePart
from tests.turned import GEOMETRY

NOON = datetime(2026, 5, 1, 12, 0, 0, 250_000, UTC)
PART = InspectionSubject("20260501T060000123-ABCDEFG")
SCAN = ScanSubject("5c" * 32, "/plant/scans/one.png")
REGIONS: tuple[Region, ...] = (WholePart(), Patch(3, GEOMETRY), Box(10, 0, 1, 64), Mask("ab" * 32))


def label(class_name: str = "pits", who: str = "ada", minutes: float = 0, region: Region = REGIONS[0]) -> Label:
    """What somebody says of `PART`, so many minutes after noon."""
    return Label(PART, region, class_name, who, NOON + timedelta(minutes=minutes), Source.PERSON, "seen by lamp")
