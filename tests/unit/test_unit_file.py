"""The unit for systemd that ships: what it takes from the station, and that it leaves it what it needs."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.resources import as_file
from pathlib import Path

import pytest

from config import bundled
from station.core.peer import GROUP

WORST_ALLOWED = 30
"""Tenths of systemd's measure of exposure, 0 to 100."""


PAGES = "inspection-station-page.service"
BESIDE = (
    PAGES, "inspection-station-opcua.service", "inspection-station-sparkplug.service",
    "inspection-station-central.service",
)  # fmt: skip
"""Of processes beside the station's."""


@pytest.fixture
def unit() -> Iterator[Path]:
    with as_file(bundled("deploy/inspection-station.service")) as path:
        yield path


@pytest.fixture(params=BESIDE)
def unit_beside(request: pytest.FixtureRequest) -> Iterator[Path]:
    with as_file(bundled(f"deploy/{request.param}")) as path:
        yield path


def settings(unit: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("name", ["inspection-station.service", *BESIDE])
def test_systemd_calls_its_exposure_small(name: str) -> None:
    if shutil.which("systemd-analyze") is None:
        if os.environ.get("CI"):
            pytest.fail("systemd-analyze is not installed: apt-get install systemd")
        pytest.skip("systemd-analyze, which rates the unit, is not installed: apt-get install systemd")
    with as_file(bundled(f"deploy/{name}")) as unit:
        rated = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", f"--threshold={WORST_ALLOWED}", "--no-pager", str(unit)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert rated.returncode == 0, rated.stdout.splitlines()[-1:] + rated.stderr.splitlines()


def test_it_leaves_the_station_what_it_needs(unit: Path) -> None:
    found = settings(unit)
    assert found["Type"] == ["notify"]
    assert (found["User"], found["Group"], found["UMask"]) == ([GROUP], [GROUP], ["0027"])
    assert found["StateDirectoryMode"] == ["0750"]
    assert int(found["LimitRTPRIO"][0]) >= 2
    assert int(found["LimitNOFILE"][0]) >= 4096
    assert found["AmbientCapabilities"] == found["CapabilityBoundingSet"] == ["CAP_NET_BIND_SERVICE"]
    assert {"char-ttyUSB rw", "/dev/cpu_dma_latency rw"} <= set(found["DeviceAllow"])
    assert not {"MemoryDenyWriteExecute", "RestrictRealtime", "PrivateDevices", "ProtectClock"} & set(found), (
        "it could not work"
    )


def test_who_runs_beside_has_what_the_station_has_of_the_disk_and_nothing_of_its_rights(
    unit: Path, unit_beside: Path
) -> None:
    station, beside = settings(unit), settings(unit_beside)
    for key in ("User", "Group", "UMask", "StateDirectory", "StateDirectoryMode"):
        assert beside[key] == station[key], "both write in the data folder"
    assert beside["CapabilityBoundingSet"] == beside["AmbientCapabilities"] == [""]
    assert int(beside["Nice"][0]) > 0
    assert "MemoryMax" in beside
    assert beside["IPAddressAllow"] == ["localhost"]
    assert not {"DeviceAllow", "LimitRTPRIO"} & set(beside)
