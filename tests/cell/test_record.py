"""`station record` on a running simulated cell, and the replay of what it wrote."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sim.recordings import bundled_recording
from station.core.recording import read_recording, read_scan
from station.core.settings import load_settings
from station.host.simulated_cell import SimulatedCell
from tests.cell.conftest import station_command

PARTS = 3


async def test_what_the_cell_scans_is_recorded_and_can_be_replayed(
    make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    config, folder = make_config(), tmp_path / "recording"
    async with SimulatedCell(config, None, None, "max", None, lambda _event: None) as cell:
        text = config.read_text(encoding="utf-8")
        for device in ("robot", "plc"):
            text = text.replace("port = 0", f"port = {cell.ready[device]['port']}", 1)
        config.write_text(text, encoding="utf-8")
        said = await run("record", folder, "--config", config, "--parts", PARTS, "--data", tmp_path / "data",
                         "--auto-reset", environment=environment)  # fmt: skip
    assert said[0] == 0, said
    assert f"{PARTS} of {PARTS} scans recorded in {folder}" in said[1]
    recording = read_recording(folder, load_settings(config).part_types)
    originals = read_recording(bundled_recording(), load_settings(config).part_types)
    assert recording.problems == ()
    assert [(one.part_id, one.part_type) for one in recording.scans] == [
        (one.part_id, one.part_type) for one in originals.scans[:PARTS]
    ]
    for one, original in zip(recording.scans, originals.scans, strict=False):
        assert contains(read_scan(one.file, {3584}), read_scan(original.file, {3584}))

    config.write_text(make_config().read_text(encoding="utf-8"), encoding="utf-8")
    replay = await run("--simulate", "--config", config, "--recordings", folder, "--speed", "max", "--json",
                       "--data", tmp_path / "replay", environment=environment)  # fmt: skip
    assert replay[0] == 0, replay
    document = json.loads(replay[1])
    assert (document["summary"]["parts"], document["summary"]["sorted"]) == (PARTS, PARTS)


async def run(*arguments: object, environment: dict[str, str]) -> tuple[int, str, str]:
    """Exit status, output and errors of a `station` command."""
    process = await asyncio.create_subprocess_exec(
        *station_command(*map(str, arguments)),  # type: ignore[arg-type]
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


def contains(scan: np.ndarray, original: np.ndarray) -> bool:
    """Whether the original stands somewhere in the scan, up to the turn at which the scan began, pixel for pixel."""
    row = original[0]
    return any(
        np.array_equal(scan[0, left : left + len(row)], row)
        and np.array_equal(scan[:, left : left + len(row)], original)
        for left in range(scan.shape[1] - len(row) + 1)
    )
