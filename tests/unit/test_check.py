"""What `station check` says of the rights to real time, and of the clock."""

import asyncio
import os
from pathlib import Path

import pytest

from config import bundled
from station.core import wakefulness
from station.core.settings import Settings, load_settings
from station.host.check import clock, real_time


def settings(*, keep_awake: bool) -> Settings:
    loaded = load_settings(bundled("simulate.toml"))
    return loaded.model_copy(update={"model": loaded.model.model_copy(update={"keep_awake": keep_awake})})


@pytest.mark.parametrize("priority", [True, False])
@pytest.mark.parametrize(
    ("keep_awake", "may", "cores"),
    [
        (True, True, "the cores stay awake while a part is judged"),
        (True, False, "the cores sleep between two blocks"),
        (False, True, "the cores may sleep between two blocks, as configured"),
    ],
)
def test_it_says_what_is_allowed_and_what_would_allow_it(
    *, priority: bool, keep_awake: bool, may: bool, cores: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def set_scheduler(*_arguments: object) -> None:
        if not priority:
            raise PermissionError

    file = tmp_path / "cpu_dma_latency"
    if may:
        file.touch()
    monkeypatch.setattr(os, "sched_setscheduler", set_scheduler)
    monkeypatch.setattr(wakefulness, "LATENCY_FILE", file)
    said = asyncio.run(real_time(settings(keep_awake=keep_awake)))
    assert said.startswith("real-time priority is allowed;" if priority else "real-time priority is refused")
    assert ("LimitRTPRIO=2" in said) is not priority
    assert cores in said


@pytest.mark.parametrize(
    ("configuration", "synchronised", "expected"),
    [
        ("station.toml", True, "synchronised with a time server"),
        ("simulate.toml", False, "not synchronised with a time server"),
    ],
)
def test_it_says_what_the_kernel_says_of_the_clock(configuration: str, *, synchronised: bool, expected: str) -> None:
    loaded = load_settings(bundled(configuration))
    assert asyncio.run(clock(loaded, lambda: synchronised)) == expected


def test_it_says_that_a_free_running_clock_delays_the_removal_of_scans() -> None:
    said = asyncio.run(clock(load_settings(bundled("station.toml")), lambda: False))
    assert "archived scans are removed only when the station has run for a day" in said
