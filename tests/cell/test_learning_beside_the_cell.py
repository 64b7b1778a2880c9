"""A learning beside a working cell: the station judges part after part while it goes on, and none is late for it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

for extra in ("torch", "timm", "tensorboard", "matplotlib", "nncf", "onnx", "onnxscript", "cleanlab"):
    pytest.importorskip(extra, reason=f"{extra} is an extra of training (make test-training)")

from tests.cell.conftest import station_command  # noqa: E402 - after the check for it
from tests.learning import QUICK, configured, make_plant  # noqa: E402
from tests.plants import record  # noqa: E402

pytestmark = [pytest.mark.training, pytest.mark.slow, pytest.mark.timeout(3600)]

PARTS = 40
"""Some four seconds each, so that the cell works through all the learning's first steps."""


def test_no_part_is_late_for_a_learning_that_takes_what_it_may(
    tmp_path: Path, make_config: Callable[..., Path], environment: dict[str, str]
) -> None:
    config = make_config()
    config.write_text(configured(config.read_text(encoding="utf-8"), tmp_path, "nice = 10\n"), encoding="utf-8")
    plant = make_plant(tmp_path / "station")
    golden = record(tmp_path / "golden", {"G-1": "defect_free"})
    kept = ("--config", config, "--data", plant.folder)
    cell = ["--simulate", "--parts", PARTS, "--json", *kept]
    learn = ["learn", "--out", tmp_path / "out", "--golden", golden, *QUICK, *kept]
    with (
        subprocess.Popen(station_command(*map(str, cell)), stdout=subprocess.PIPE, text=True, env=environment) as works,
        subprocess.Popen(
            station_command(*map(str, learn)), stdout=subprocess.PIPE, text=True, env=environment
        ) as learns,
    ):
        told = learns.communicate()[0]
        rows = json.loads(works.communicate()[0])["parts"]
    assert learns.returncode in {0, 1}, told
    judged = [
        json.loads(note.read_text())["outcome"]["judged"]
        for note in sorted((tmp_path / "out" / "steps").glob("*.json"))
    ]
    assert sum(one["parts"] for one in judged) >= 3, "the cell worked meanwhile"
    assert sum(one["late"] for one in judged) == 0
    assert len(rows) == PARTS
    assert [row["part_id"] for row in rows if row["reason"] == "scan.late"] == []
