"""Which archived scans count as good parts: those of which all agree who have labelled the part as a whole."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from station.labels.label import InspectionSubject, Label, Patch
from station.offline.calibrating import labelled_scans
from tests.label_samples import NOON, REGIONS
from tests.turned import GEOMETRY

ROWS = (
    "inspection_id,part_id,part_type,scan_file\n",
    "A,P1,ring,archive/a.png\n",
    "B,P2,ring,archive/b.png\n",
    "C,P3,disc,\n",
    "D,P4,disc,archive/d.png\n",
    "E,P5,disc,archive/e.png\n",
)


class Records:
    """Records that hold these rows."""

    def export(self, _chosen: object, _form: str) -> Iterator[str]:
        yield from ROWS


def said(inspection: str, class_name: str, who: str = "ada", region: Any = REGIONS[0]) -> Label:
    return Label(InspectionSubject(inspection), region, class_name, who, NOON)


def test_a_scan_bears_the_class_on_which_all_agree() -> None:
    labels = [
        said("A", "good"), said("A", "good", "bob"), said("B", "good"), said("B", "crack", "bob"), said("C", "good"),
        said("D", "crack"), said("E", "good", region=Patch(3, GEOMETRY)),
    ]  # fmt: skip
    records: Any = Records()
    found = list(labelled_scans(records, labels, Path("/data")))
    assert [(scan.file, scan.part_id, scan.part_type, scan.label) for scan in found] == [
        (Path("/data/archive/a.png"), "P1", "ring", "good"),
        (Path("/data/archive/d.png"), "P4", "disc", "crack"),
    ]
