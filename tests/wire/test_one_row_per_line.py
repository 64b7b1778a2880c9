"""At real pace the camera's 3584 lines are the 3584 rows of the part on the jig, each once and in order."""

import asyncio
import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest

from config import bundled
from drivers.camera.gentl import GenTLCamera
from sim.gentl import producer_path
from sim.ledger import Entry, Happening
from sim.report import Json, Listening
from sim.running import Plan, running_cell
from station.core.choices import Speed
from station.core.errors import StationError
from station.core.part import Order
from station.core.settings import Settings, load_settings
from station.flow.acquire import Accountant
from tests.housings import modbus_jig, modbus_robot
from tests.turned import GEOMETRY


@dataclass
class Quiet:
    """A report of which only one thing is read: that a part has come."""

    left_out: list[str] = field(default_factory=list)
    fed: asyncio.Event = field(default_factory=asyncio.Event)

    def ready(self, where: Listening) -> None: ...

    def happened(self, entry: Entry) -> None:
        if entry.event is Happening.FED:
            self.fed.set()

    def scan_left_out(self, file: str, error: StationError) -> None:
        self.left_out.append(f"{file}: {error}")

    def result_read(self, number: int, decision: str) -> None: ...

    def infeed_empty(self, fed: int) -> None: ...

    def fault_struck(self, name: str, part_id: str | None) -> None: ...

    def answered(self, answer: Json) -> None: ...


def settings_of(folder: Path) -> Settings:
    """The shipped simulation on free ports, with short ways."""
    text = bundled("simulate.toml").read_text(encoding="utf-8")
    for shipped, here in {
        "port = 15020": "port = 0",
        "port = 15021": "port = 0",
        "{runtime}/jig": f"{folder}/jig",
        "{producer}": str(producer_path()),
        "/inspection-station-scene": f"/station-rows-{os.getpid()}-{folder.name[-20:]}",
        "robot_load_s = 1.2": "robot_load_s = 0.04",
        "jig_ramp_s = 0.3": "jig_ramp_s = 0.05",
    }.items():
        assert shipped in text
        text = text.replace(shipped, here)
    file = folder / "cell.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


@pytest.mark.parametrize("name", ["smh_385", "smh_935"])  # the fastest, and the one whose speed is rounded most
async def test_every_row_is_seen_once_and_in_order(tmp_path: Path, name: str) -> None:
    settings = settings_of(tmp_path)
    kind = settings.type_named(name)
    scan = np.random.default_rng(5).integers(80, 250, (3584, kind.width_px), dtype=np.uint8)
    recording = tmp_path / "recording"
    recording.mkdir()
    assert cv2.imwrite(str(recording / "A.png"), scan)
    plan = Plan(recording, 1, Speed.REAL, None)
    report = Quiet()
    async with running_cell(settings, plan, report) as simulated, contextlib.AsyncExitStack() as opened:
        link = settings.robot.link.model_copy(update={"port": simulated.where.robot[1]})
        robot, jig = modbus_robot(settings.robot.model_copy(update={"link": link})), modbus_jig(settings.jig)
        camera = GenTLCamera(settings.camera, [GEOMETRY])
        for device in (robot, jig, camera):
            opened.push_async_callback(device.close)
        await robot.connect()
        await jig.connect()
        await camera.open()
        await report.fed.wait()
        await robot.load(Order("robot", 1, "load"))
        await camera.prepare(kind.recipe)
        await jig.spin(Order("jig", 1, "spin", round(10 * kind.speed_rpm)))
        async with camera.turn() as turn:
            blocks = [block async for block in turn.blocks()]
        await jig.stop(Order("jig", 2, "stop"))
    image = np.vstack([block.pixels for block in blocks])
    columns = np.flatnonzero(image.max(axis=0) > 40)
    assert np.array_equal(image[:, columns[0] : columns[-1] + 1], scan)
    accountant = Accountant(GEOMETRY, settings.camera.chunks)
    for block in blocks:
        accountant.take(block)
    account = accountant.close(0)
    assert account.valid, account.detail
    assert "encoder" in account.detail
