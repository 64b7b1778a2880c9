"""The page of the first day, `models/first-day/README.md`: its first step, and which cell its commands are for."""

import re
import subprocess
from pathlib import Path

from station.core.settings import load_settings

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "models" / "first-day" / "README.md"
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
CONFIGURATION = 1


def test_the_first_step_makes_a_configuration_of_the_shipped_one(tmp_path: Path) -> None:
    for name in ("config", "models"):
        (tmp_path / name).symlink_to(ROOT / name)
    ran = subprocess.run(
        ["/bin/bash", "-ec", BLOCKS[CONFIGURATION]], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    settings = load_settings(tmp_path / "out" / "day" / "cell.toml")
    assert settings.table.names == ("free", "blowhole", "uneven")
    assert (settings.table.passing.name, list(settings.part_types)) == ("free", ["tile"])
    geometry = settings.geometry.value()
    features = {one.feature: one.value for one in settings.camera.setup}
    assert features["Height"] == geometry.lines_per_block == 192
    assert features["AcquisitionFrameCount"] == geometry.blocks_per_turn == 4
    assert (settings.crop.background_max, settings.crop.saturated_max) == (24, 1.0)
    assert settings.model.precision == "f32"
    assert set(settings.records.archive) == {*settings.table.names, "review"}


def test_every_command_of_the_day_says_which_cell_it_is_for() -> None:
    commands = [line for block in BLOCKS for line in block.splitlines() if line.startswith("station ")]
    alone = [line for line in commands if "--config out/day/cell.toml" not in line]
    assert [line.split()[:3] for line in alone] == [["station", "model", "train"]]
