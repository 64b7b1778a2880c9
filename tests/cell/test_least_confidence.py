"""A station that judges by another least confidence than its bundle was measured with says so when it starts."""

import asyncio
import json
from pathlib import Path

import pytest
import structlog

from station.core.settings import Settings
from station.core.watchers import Watchers
from station.host.build import open_station
from station.host.check import check_station
from tests.cell.fault_bench import quick_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A station whose network says that it was measured with 0.5."""
    quick = quick_settings(tmp_path)
    manifest = Path(quick.model.bundle) / "manifest.json"
    document = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(document | {"thresholds": {"min_confidence": 0.5}}))
    return quick


def judging_by(settings: Settings, min_confidence: float) -> Settings:
    decision = settings.decision.model_copy(update={"min_confidence": min_confidence})
    return settings.model_copy(update={"decision": decision})


async def opened(settings: Settings, data: Path) -> None:
    async with open_station(settings, data, Watchers()):
        pass


@pytest.mark.parametrize(("min_confidence", "warned"), [(0.5, 0), (0.4, 1), (0.6, 1)])
def test_the_log_warns_of_it(settings: Settings, tmp_path: Path, min_confidence: float, warned: int) -> None:
    with structlog.testing.capture_logs() as log:
        asyncio.run(opened(judging_by(settings, min_confidence), tmp_path / "data"))
    told = [line for line in log if line["event"] == "least_confidence_differed"]
    assert len(told) == warned
    assert all(f"decision.min_confidence is {min_confidence:g}, tiny-1 was measured with 0.5" in line["detail"]
               for line in told)  # fmt: skip


def test_a_part_types_own_least_confidence_is_told_under_its_key(settings: Settings, tmp_path: Path) -> None:
    (name,) = settings.part_types
    kind = settings.part_types[name].model_copy(update={"min_confidence": 0.7})
    with structlog.testing.capture_logs() as log:
        asyncio.run(opened(settings.model_copy(update={"part_types": {name: kind}}), tmp_path / "data"))
    (told,) = [line["detail"] for line in log if line["event"] == "least_confidence_differed"]
    assert told.startswith(f"part_types.{name}.min_confidence is 0.7, tiny-1 was measured with 0.5")


def test_station_check_says_it_and_finds_the_model_well(settings: Settings, tmp_path: Path) -> None:
    for min_confidence, told in ((0.5, False), (0.4, True)):
        findings = asyncio.run(check_station(judging_by(settings, min_confidence), tmp_path / "data"))
        model = next(finding for finding in findings if finding.what == "model")
        assert model.problem is None
        assert ("; but decision.min_confidence is 0.4" in model.said) is told
