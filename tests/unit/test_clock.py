"""The rule of `station.core.clock`: whose time it is, and that nothing of the station's process goes round it."""

import ast
import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from station.core.clock import SystemClock

ROOT = Path(__file__).parents[2]

OWN_TIME = {
    "station/core/clock.py": "the clock itself",
    "station/cli/backup.py": "a command without a station: the date of a copy",
    "station/cli/sbom.py": "a command without a station: the date of a list",
    "station/cli/integration.py": "a command without a station: the date on the documents",
    "station/cli/model_synthesise.py": "a command without a station: how long a training will take",
    "station/offline/archive/results.py": "a command without a station: how long rows have waited for the disk",
    "station/plant/opcua/certificates.py": "a process beside the station: from when to when a certificate is good",
    "station/plant/opcua/serving.py": "a process beside the station: how often somebody tried to sign in",
    "station/plant/opcua/space.py": "a process beside the station: when a value was told, as clients read it",
    "station/core/watchers.py": "threads are waited for on a thread, together until one moment",
    "station/host/stalls.py": "a thread that watches the loop must not ask the loop for the time",
    "station/bench/": "measures the computer, from outside of the loop that it measures",
    "drivers/camera/process/": "another process, without a loop",
    "drivers/camera/child.py": "an arrival is compared with stamps of the camera's process, which has CLOCK_MONOTONIC",
}
"""Who reads time in another way, and why."""

CLOCKS = {"monotonic", "time", "perf_counter", "process_time", "thread_time", "clock_gettime"}
PLANTED = """
import time, asyncio
from time import monotonic_ns
from datetime import datetime
async def f(loop, clock):
    time.monotonic(); time.time_ns(); time.sleep(1); datetime.now(); datetime.utcnow()
    loop.time(); clock.now(); asyncio.sleep(1); time.strftime("%Y")
"""


def clocks_read(source: str) -> Iterator[str]:
    """What a module reads of the computer's own clocks, or waits by."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (f"time.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner, name = node.value.id, node.attr
            if (owner == "time" and name.removesuffix("_ns") in CLOCKS | {"sleep"}) or (
                owner == "datetime" and name in {"now", "utcnow", "today"}
            ):
                yield f"{owner}.{name}"


@cache
def readers() -> dict[str, list[str]]:
    """Modules of the station's process that read a clock of their own, and which."""
    found = {
        str(path.relative_to(ROOT)): list(clocks_read(path.read_text(encoding="utf-8")))
        for package in ("station", "drivers")
        for path in sorted((ROOT / package).rglob("*.py"))
    }
    return {path: read for path, read in found.items() if read}


def test_every_way_to_a_clock_is_noticed() -> None:
    assert sorted(clocks_read(PLANTED)) == [
        "datetime.now", "datetime.utcnow", "time.monotonic", "time.monotonic_ns", "time.sleep", "time.time_ns",
    ]  # fmt: skip


def test_whoever_has_a_loop_measures_with_it_and_stamps_with_the_clock() -> None:
    assert {path: read for path, read in readers().items() if not path.startswith(tuple(OWN_TIME))} == {}


@pytest.mark.parametrize("listed", OWN_TIME)
def test_no_exception_outlives_its_need(listed: str) -> None:
    assert any(path.startswith(listed) for path in readers())


async def test_the_loop_and_the_clock_show_the_same_monotonic_time() -> None:
    loop, clock = asyncio.get_running_loop(), SystemClock()
    before_ns, loop_s, after_ns = clock.monotonic_ns(), loop.time(), clock.monotonic_ns()
    assert before_ns - 1000 <= loop_s * 1e9 <= after_ns + 1000, "a float of seconds is good for a microsecond"


def test_the_date_is_in_utc() -> None:
    before, told, after = datetime.now(UTC), SystemClock().now(), datetime.now(UTC)
    assert told.tzinfo is UTC
    assert before <= told <= after
