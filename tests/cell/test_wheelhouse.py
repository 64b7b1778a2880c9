"""A station is installed without a network, upgraded, and taken back to the version before, as the README tells."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEW_VERSION = """

def _next(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE inspections ADD COLUMN shift TEXT NOT NULL DEFAULT ''")


VERSIONS = (*VERSIONS, _next)
"""

Run = Callable[..., str]


def without_network() -> list[str]:
    """How a command is run that reaches no network, not even this computer, where the kernel allows that."""
    words = ["unshare", "--net"]
    return words if not subprocess.run([*words, "true"], capture_output=True, check=False).returncode else []


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a line of shell where the wheelhouse lies, without this user's settings; installations without a network."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "XDG_", "PYTHON"))}
    home = tmp_path / "home"
    home.mkdir()
    there = {**kept, "HOME": str(home), "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

    def run(line: str, status: int = 0) -> str:
        words = [*(without_network() if "pip install" in line else []), "bash", "-euc", line]
        ended = subprocess.run(words, cwd=tmp_path, env=there, capture_output=True, text=True, check=False)
        assert ended.returncode == status, f"{line}\n{ended.stdout}{ended.stderr}"
        return ended.stdout + ended.stderr

    return run


def installation() -> str:
    """The README's lines."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (found,) = [block for block in blocks if "--no-index" in block]
    return str(found)


def next_version(folder: Path) -> Path:
    """The project as it could be one version on: another database, another key, another map of the PLC."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if name.split("/")[0] in {"station", "drivers", "config", "models", "sim"} or "/" not in name:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    edit(folder / "pyproject.toml", 'version = "0.1.0"', 'version = "0.2.0"')
    edit(
        folder / "station/core/settings.py",
        'log_level: Literal["debug"',
        'shift: str = ""\n    log_level: Literal["debug"',
    )
    plc = folder / "config/registers/plc.toml"
    edit(plc, "version = 1", "version = 2")
    plc.write_text(plc.read_text(encoding="utf-8").replace("constant = 1\n", "constant = 2\n"), encoding="utf-8")
    with (folder / "station/records/schema.py").open("a", encoding="utf-8") as file:
        file.write(NEW_VERSION)
    return folder


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_readmes_installation_upgrade_and_way_back(tmp_path: Path, run: Run) -> None:
    subprocess.run(["make", "wheelhouse", f"WHEELHOUSE={tmp_path / 'wheelhouse'}"], cwd=ROOT, check=True)
    bill = json.loads((tmp_path / "wheelhouse" / "sbom.cdx.json").read_text(encoding="utf-8"))
    assert all(row["hashes"] for row in (bill["metadata"]["component"], *bill["components"]))
    old, new = tmp_path / "opt/inspection-station-0.1.0", tmp_path / "opt/inspection-station-0.2.0"
    station = tmp_path / "opt/inspection-station/bin/station"
    run(installation().replace("python3", sys.executable).replace("/opt/", f"{tmp_path}/opt/"))
    line, data, backups = tmp_path / "line.toml", tmp_path / "data", tmp_path / "backups"
    shutil.copyfile(ROOT / "config/simulate.toml", line)
    part = f"--simulate --speed max --parts 1 --data {data}"
    run(f"{station} {part} --config {line}")
    before = run(f"{station} records export --data {data}")
    assert len(before.splitlines()) == 2
    run(f"{station} backup make {backups} --config {line} --data {data}")
    (backup,) = backups.iterdir()

    # upgraded; what both need is installed once, as it takes most of the time
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path,
         next_version(tmp_path / "project")], check=True,
    )  # fmt: skip
    run(f"{sys.executable} -m venv {new}")
    (site,) = old.glob("lib/python3*/site-packages")
    (new / site.relative_to(old) / "shared.pth").write_text(f"{site}\n", encoding="utf-8")
    run(f"{new}/bin/pip install --no-index --no-deps --ignore-installed inspection_station-0.2.0-*.whl")
    run(f"ln -sfn inspection-station-0.2.0 {station.parents[1]}")
    assert "the register map plc was version 1, this program has 2" in run(f"{station} backup verify {backup}")
    edit(line, "[station]\n", '[station]\nshift = "early"\n')
    run(f"{station} {part} --config {line}")
    assert "shift" in line.read_text(encoding="utf-8")

    # and back
    run(f"ln -sfn inspection-station-0.1.0 {station.parents[1]}")
    assert "station.shift: unknown key" in run(f"{station} {part} --config {line}", status=2)
    assert "record.newer_schema" in run(f"{station} {part}", status=2)
    run(f"{station} backup restore {backup} --data {data} --config {line}")
    assert run(f"{station} records export --data {data}") == before
    run(f"{station} {part} --config {line}")
    assert len(run(f"{station} records export --data {data}").splitlines()) == 3
