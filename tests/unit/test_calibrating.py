"""Which archived scans count as good parts: those of which all agree who have labelled the part as a whole."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from models.novelty.file import short_hashes
from sim.surfaces.render import render_part
from station.core.part import Answer
from station.core.recording import RecordedScan
from station.labels.label import InspectionSubject, Label, Patch
from station.offline.calibrating import Choice, GoodParts, labelled_scans
from tests.cell.bench import settings
from tests.housings import GEOMETRY as HOUSINGS
from tests.label_samples import NOON, REGIONS
from tests.turned import GEOMETRY

ROWS = (
    "inspection_id,part_id,part_type,scan_file,tried\n",
    "A,P1,ring,archive/a.png,\n",
    "B,P2,ring,archive/b.png,\n",
    "C,P3,disc,,\n",
    "D,P4,disc,archive/d.png,\n",
    "E,P5,disc,archive/e.png,\n",
    "F,P6,disc,archive/f.png,golden\n",
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
        said("D", "crack"), said("F", "good"), said("E", "good", region=Patch(3, GEOMETRY)),
    ]  # fmt: skip
    records: Any = Records()
    found = list(labelled_scans(records, labels, Path("/data")))
    assert [(scan.file, scan.part_id, scan.part_type, scan.label) for scan in found] == [
        (Path("/data/archive/a.png"), "P1", "ring", "good"),
        (Path("/data/archive/d.png"), "P4", "disc", "crack"),
    ]


class Seeing:
    """A network that keeps what it is shown, and knows surfaces of a usual light."""

    geometry = HOUSINGS
    light_level = 94.0

    def __init__(self) -> None:
        self.known: Any = self
        self.seen: list[np.ndarray] = []

    def answer(self, patches: np.ndarray) -> Answer:
        self.seen.append(patches.copy())
        return Answer(np.zeros((len(patches), 1), np.float32), np.zeros((len(patches), 1), np.float32))

    def scores(self, patches: np.ndarray, _features: np.ndarray) -> np.ndarray:
        return np.zeros(len(patches), np.float32)


@pytest.mark.parametrize(("times", "shown"), [(1.0, 1.0), (0.45, None)])
def test_good_parts_are_calibrated_in_the_light_that_the_cell_judges_them_in(
    tmp_path: Path, times: float, shown: float | None
) -> None:
    scan = render_part(4_001, 690)
    file, surface = tmp_path / "a.png", scan.image[:, scan.truth.roi.left : scan.truth.roi.right]
    assert cv2.imwrite(str(file), np.rint(scan.image * times).astype(np.uint8))
    network: Any = Seeing()
    good = GoodParts(network, settings(), Choice(short_hashes([]), "defect_free"))
    good.take([RecordedScan(file, "P1", None, None)])
    assert [part.part_type for part in good.parts] == ["smh_690"], good.left_out
    level = np.median(surface) * shown if shown else network.light_level
    assert abs(np.median(np.concatenate(network.seen)) - level) < 0.06 * level
