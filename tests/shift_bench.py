"""A shift through the whole simulated cell, while lamp, lens and parts change: `python -m tests.shift_bench [PARTS]`.

Calibrated plates come one after the other, over the real protocols and the simulated camera, as fast as the computer
can. At 15 % of the shift the lamp begins to fade, and is changed when it has lost a third of its light; at 45 % dirt
comes onto the lens, and stays; from 75 % on every part is of another metal, which nobody has calibrated. When an alarm
is due is reckoned from the recorded conditions another way than the station does (`tests/cell/drifting.py`).
"""

import asyncio
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
from typer.testing import CliRunner

from models.manifest import load_bundle
from models.novelty.file import read_calibrations
from sim.faults import wishes
from sim.running import Plan, running_cell
from station.cell.packml import Command, State
from station.cli.model import model_app
from station.core.choices import Speed
from station.core.drift.limits import FIRST_PARTS, LAST_PARTS
from station.core.events import CellEvent, PartSorted
from station.core.records import RecordFilter
from station.core.settings import load_settings
from station.core.watchers import Watchers
from station.host.build import open_station
from station.host.shutdown import stop
from station.records.query import export_records
from tests.cell.drifting import due
from tests.cell.fault_bench import Truth, addressed
from tests.cell.own_config import own_config
from tests.cell.product_lines import HALF_TURN, RINGS
from tests.cell.products import MARGIN_PX, Shown, make_recording, product
from tests.plates import GREY, PLATE, png
from tests.turned import turned

CALIBRATED, SURFACES, FOREIGN = 199, 100, 25
DEEPER = 14.0
"""Strength of the other metal's marks, where 6 is usual."""
FADED_PARTS = 34
Record = dict[str, Any]


def prepared(folder: Path) -> Path:
    """The configuration with a calibrated network."""
    config = own_config(folder, *product(RINGS, (PLATE,), folder))
    text = config.read_text(encoding="utf-8").replace("min_confidence = 0.9", "light_reference = 150")
    config.write_text(text, encoding="utf-8")
    shown = (Shown(f"G{seed}", PLATE, "good", GREY) for seed in range(1000, 1000 + CALIBRATED))
    good = make_recording(folder / "good", tuple(shown))
    command = ["calibrate", folder / "plate-1", folder / "plate-2", "--from", good, "--config", config]
    result = CliRunner().invoke(model_app, [str(word) for word in command], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    config.write_text(text.replace("plate-1", "plate-2"), encoding="utf-8")
    return config


def recording(folder: Path, parts: int) -> Path:
    """All parts of the shift; surfaces come again, each time where the robot happens to seat them."""
    folder.mkdir()
    for seed in range(SURFACES):
        (folder / f"good-{seed}.png").write_bytes(png(PLATE.surface(seed, GREY)))
    for seed in range(FOREIGN):
        image = PLATE.surface(seed, GREY)
        image[:, MARGIN_PX:-MARGIN_PX] = turned(5000 + seed, PLATE.width_px, GREY, DEEPER, HALF_TURN.lines_per_turn)
        (folder / f"foreign-{seed}.png").write_bytes(bytes(cv2.imencode(".png", image)[1].tobytes()))
    rows = []
    for number in range(1, parts + 1):
        file = f"good-{number % SURFACES}.png" if number <= parts * 3 // 4 else f"foreign-{number % FOREIGN}.png"
        rows.append({"file": file, "part_id": f"P{number}", "part_type": "plate", "label": None})
    (folder / "recording.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


async def shift(config: Path, folder: Path, parts: int) -> list[Record]:
    """The records of the shift, the oldest first."""
    settings, faded = load_settings(config), parts * 15 // 100
    struck = wishes([f"lamp-fades@P{faded}", f"lens-dirty@P{parts * 45 // 100}"])
    plan = Plan(recording(folder / "shown", parts), None, Speed.MAX, None, struck, breakable=True)
    changed = f"P{faded + FADED_PARTS}"
    async with running_cell(settings, plan, Truth()) as running:

        def watch(event: CellEvent) -> None:
            if isinstance(event, PartSorted) and event.inspection.part.part_id == changed:
                running.broken.clear("lamp-fades")

        watchers = Watchers()
        watchers.add(watch)
        async with watchers, open_station(addressed(settings, running), folder / "data", watchers) as station:
            task = asyncio.create_task(station.operation.run())
            await taken(station.desk, parts)
            await stop(station.desk, task)
    return list(json.loads("".join(export_records(folder / "data", RecordFilter(), "json"))))


async def taken(desk: Any, parts: int) -> None:
    """Take all parts through, as a person does who clears what this computer's haste may stop."""
    desk.limit_parts(parts)
    again = {State.STOPPED: Command.RESET, State.IDLE: Command.START, State.HELD: Command.UNHOLD}
    while desk.view.state is not State.COMPLETE:
        if (command := again.get(desk.view.state)) is not None:
            desk.command(command, "an operator")
        changed = desk.changed()
        if desk.view.state not in again:
            await changed
        else:
            changed.close()


def told(records: list[Record], calibrated: tuple[float, ...]) -> dict[str, object]:
    """The figures."""
    watched = [record for record in records if record["drift"] is not None]
    drifts = [record["drift"] for record in watched]
    expected = due([record["conditions"] for record in watched], calibrated, FIRST_PARTS, LAST_PARTS)
    came = {code: next((n for n, drift in enumerate(drifts) if code in drift["beyond"]), None) for code in expected}
    since = min(expected.values(), default=None)
    suspended = [drift["suspended"] is not None for drift in drifts]
    return {
        "parts": len(records), "watched": len(watched),
        "due": {code: watched[part]["part_id"] for code, part in expected.items()},
        "came": {code: None if part is None else watched[part]["part_id"] for code, part in came.items()},
        "suspended from then on, and not before": since is not None
        and suspended == [False] * since + [True] * (len(suspended) - since),
        "suspended": drifts[-1]["suspended"],
        "level of unknown": sorted({record["novelty"]["alpha"] for record in watched if record["novelty"]}),
        "became": dict(Counter(f"{one['verdict']} {one['reason'] or ''}".strip() for one in records)),
    }  # fmt: skip


def main(parts: str = "2000") -> None:
    """Run it in a temporary folder, and print what came of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = prepared(folder)
        records = asyncio.run(shift(config, folder, int(parts)))
        calibrated = read_calibrations(load_bundle(folder / "plate-2"))["plate"].scores
        sys.stdout.write(json.dumps(told(records, calibrated), indent=2) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
