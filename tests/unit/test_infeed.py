"""The parts that a recording gives: which, with what ids, and what the camera will see of them."""

import asyncio
import itertools
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from config import bundled
from drivers.modbus.register_map import load_map
from sim.cell import ArmPosition, Cell
from sim.devices.plc import PlcDevice
from sim.infeed import Infeed, LeftOut, PartSource
from sim.ledger import Entry, Ledger, Part, Place
from sim.optics import Optics
from sim.pace import MaxPace
from sim.report import JsonReport
from sim.spindle import Spindle
from station.core.errors import RecordingError
from station.core.outlet import Outlet
from station.core.part import Pixels
from station.core.settings import Settings, load_settings
from tests.housings import INSPECTED
from tests.virtual_time import clock_here, in_virtual_time, turn

SENSOR_PX, MARGIN_PX = 2000, 8


@pytest.fixture
def settings() -> Settings:
    shipped = load_settings(Path(str(bundled("simulate.toml"))))
    return shipped.model_copy(update={"camera": shipped.camera.model_copy(update={"width_px": SENSOR_PX})})


def scan_of(width: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(80, 250, (3584, width), dtype=np.uint8)


def write(folder: Path, rows: list[dict[str, object]]) -> None:
    for row in rows:
        assert cv2.imwrite(str(folder / str(row["file"])), scan_of(int(str(row.pop("width")))))
    (folder / "recording.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def row(
    part_id: str, width: int = 385, part_type: str | None = "smh_385", label: str | None = None
) -> dict[str, object]:
    return {"file": f"{part_id}.png", "part_id": part_id, "part_type": part_type, "label": label, "width": width}


def source(folder: Path, settings: Settings, parts: int | None = None, seed: int = 1) -> PartSource:
    return PartSource(folder, settings, Optics(SENSOR_PX, MARGIN_PX, seed), parts)


def test_the_scan_lies_pixel_for_pixel_somewhere_on_a_dark_sensor(tmp_path: Path, settings: Settings) -> None:
    write(tmp_path, [row("A"), row("B")])
    lefts = []
    for part in source(tmp_path, settings, parts=6).parts():
        assert isinstance(part, Part)
        columns = np.flatnonzero(part.surface.max(axis=0) > 60)
        left, right = int(columns[0]), int(columns[-1]) + 1
        assert np.array_equal(part.surface[:, left:right], scan_of(385))
        assert part.surface.shape == (3584, SENSOR_PX)
        assert left >= MARGIN_PX
        assert right <= SENSOR_PX - MARGIN_PX
        dark = np.delete(part.surface, np.s_[left:right], axis=1)
        assert dark.max() <= 15
        assert dark.std() > 1
        lefts.append(left)
    assert len(set(lefts)) > 1


def test_the_same_seed_gives_the_same_images(tmp_path: Path, settings: Settings) -> None:
    write(tmp_path, [row("A")])
    first, again, other = (
        [part.surface for part in source(tmp_path, settings, parts=2, seed=seed).parts() if isinstance(part, Part)]
        for seed in (1, 1, 2)
    )
    assert all(np.array_equal(*pair) for pair in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_a_scan_as_wide_as_the_sensor_is_shown_whole(tmp_path: Path, settings: Settings) -> None:
    write(tmp_path, [row("A", width=SENSOR_PX)])
    (part,) = source(tmp_path, settings).parts()
    assert isinstance(part, Part)
    assert np.array_equal(part.surface, scan_of(SENSOR_PX))


def test_ids_stay_unique_and_within_sixteen_characters(tmp_path: Path, settings: Settings) -> None:
    ids = ["HOUSING-00000001", "HOUSING-00000002", "XXUSING-00000001", "B", "B-2"]
    write(tmp_path, [row(part_id) for part_id in ids])
    given = [part.part_id for part in source(tmp_path, settings, parts=60).parts() if isinstance(part, Part)]
    assert given[:5] == ids
    assert given[5:7] == ["USING-00000001-2", "USING-00000002-2"]
    assert len(set(given)) == 60
    assert max(map(len, given)) <= 16


def test_type_and_label_are_those_of_the_index(tmp_path: Path, settings: Settings) -> None:
    write(tmp_path, [row("A", 690, "smh_690", "roll_marks"), row("B", 385, None)])
    parts = [part for part in source(tmp_path, settings).parts() if isinstance(part, Part)]
    assert [(part.type_code, part.label) for part in parts] == [(3, "roll_marks"), (1, None)]


def test_without_a_type_the_width_tells_it_or_the_scan_is_left_out(tmp_path: Path, settings: Settings) -> None:
    write(tmp_path, [row("A", 1575, None), row("B", 480, None), row("C", 935, None)])
    made = list(source(tmp_path, settings).parts())
    assert [part.type_code for part in made if isinstance(part, Part)] == [6, 4]
    (left_out,) = [item for item in made if isinstance(item, LeftOut)]
    assert (left_out.file, left_out.error.code) == ("B.png", "part.wrong_width")
    assert "480" in left_out.error.detail


def test_a_left_out_scan_is_told_once_and_does_not_count(tmp_path: Path, settings: Settings) -> None:
    write(tmp_path, [row("A"), row("B", width=SENSOR_PX + 1), row("C")])
    made = list(source(tmp_path, settings, parts=5).parts())
    assert [item.part_id if isinstance(item, Part) else item.file for item in made] == [
        *("A", "B.png", "C"),
        *("A-2", "C-2", "A-3"),
    ]


def test_a_pass_without_a_usable_scan_is_an_error(tmp_path: Path, settings: Settings) -> None:
    write(tmp_path, [row("A"), row("B")])
    parts = source(tmp_path, settings, parts=9).parts()
    assert len(list(itertools.islice(parts, 2))) == 2
    for image in tmp_path.glob("*.png"):
        image.write_bytes(b"")
    assert all(isinstance(item, LeftOut) for item in itertools.islice(parts, 2))
    with pytest.raises(RecordingError):
        next(parts)


class Dark:
    """Nothing is under the camera."""

    def show(self, image: Pixels | None) -> None: ...

    def turn(self, period_ns: int, epoch_ns: int) -> None: ...

    def stand_still(self) -> None: ...


@in_virtual_time
async def test_a_part_that_is_exchanged_comes_after_the_one_in_its_place_and_none_is_left_out(
    tmp_path: Path, settings: Settings
) -> None:
    write(tmp_path, [row("A"), row("B"), row("C")])
    clock, entries = clock_here(), list[Entry]()
    cell = Cell(Spindle(clock.monotonic_ns), Dark(), Ledger(clock, [entries.append]))
    plc = PlcDevice(load_map("plc", INSPECTED), clock, lambda *_: None)
    outlet = Outlet.of(sys.stdout, "standard output")
    infeed = Infeed(source(tmp_path, settings), cell, plc, JsonReport(outlet), MaxPace(), 0.0)

    async def waits(part_id: str) -> int:
        """The part lies at the infeed and the next one is at hand; the number of the announcement."""
        while cell.part_id_at(Place.INFEED) != part_id or (not infeed._at_hand and part_id in "AB"):
            await turn()
        return plc.announced_number

    def take() -> None:
        cell.move_arm(ArmPosition.WORKSPACE)
        cell.pick(Place.INFEED)
        cell.drop()

    infeed.exchange(same_number=False)
    infeed.announce_again()
    assert plc.announced_number == 0, "nothing waits"
    await infeed.prepare()
    feeding = asyncio.create_task(infeed.run())
    first = await waits("A")
    infeed.exchange(same_number=True)
    assert (cell.part_id_at(Place.INFEED), plc.announced_number) == ("B", first)
    infeed.exchange(same_number=False)
    assert (cell.part_id_at(Place.INFEED), plc.announced_number) == ("A", first % 0xFFFF + 1)
    infeed.exchange(same_number=False)
    take()
    await waits("A")
    take()
    last = await waits("C")
    infeed.exchange(same_number=False)
    assert (cell.part_id_at(Place.INFEED), plc.announced_number) == ("C", last % 0xFFFF + 1), "no other is at hand"
    plc.clear_announcement()
    infeed.announce_again()
    assert plc.announced_number == last % 0xFFFF + 2
    take()
    await feeding
    fed = [entry.part_id for entry in entries if entry.event == "fed"]
    assert fed == ["A", "B", "A", "B", "A", "C", "C"]
    assert outlet.close()
