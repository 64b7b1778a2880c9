"""A station, its cell and every process that a plant has beside them, each started as a user starts it."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import tomllib
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from config import bundled
from tests.free_port import free_port

STATION = ("-c", "from station.cli import main; main()")
BESIDE = ("page", "opcua", "sparkplug")
"""What serves people and the plant."""
SPARE = 100
READY_S = 60.0
"""How long the simulated cell may take until its devices answer."""
END_S = 120.0
"""How long a process may take to end after SIGTERM: the cell stops in order first."""
ROOT = Path(__file__).parents[2]
KEPT = '["review"]'
"""Verdicts whose scans are archived: few, so that the disk does not fill in a day."""
THROUGH = "SELECT count(*) FROM inspections WHERE state IN ('sorted', 'lost')"


def configuration(folder: Path) -> Path:
    """The shipped simulation with free ports and few scans that are kept, written anew for each run."""
    text = bundled("simulate.toml").read_text(encoding="utf-8")
    shipped = tomllib.loads(text)
    served = [shipped[name] for name in ("page", "opcua")] + [shipped[name]["link"] for name in ("robot", "plc")]
    for table in served:
        text = text.replace(f"port = {table['port']}", f"port = {free_port()}")
    text = text.replace("/inspection-station-scene", f"/station-soak-{uuid.uuid4().hex[:12]}")
    text = re.sub(r"^archive = \[.*\]$", f"archive = {KEPT}", text, flags=re.MULTILINE)
    path = folder / "cell.toml"
    path.write_text(text, encoding="utf-8")
    return path


def parts_through(data: Path) -> int:
    """How many parts are through, by the records."""
    with (
        suppress(sqlite3.OperationalError),
        closing(sqlite3.connect(f"file:{data / 'records.sqlite'}?mode=ro", uri=True)) as records,
    ):
        return int(records.execute(THROUGH).fetchone()[0])
    return 0


@contextmanager
def running(folder: Path, parts: int) -> Iterator[dict[int, str]]:
    """The cell, its station, page and servers for the plant, with the data folder `data`; they are ended in order.

    Args:
        folder: Where configuration, data and what the processes say lie.
        parts: How many parts are to be got through; some more come, so that the last look is at a cell that works.

    Yields:
        What was started: process numbers, and what they are.

    Raises:
        TimeoutError: The simulated cell does not become ready.
    """
    config, data = ("--config", str(configuration(folder))), ("--data", str(folder / "data"))
    sim = ("-m", "sim", "--speed", "max", "--report", "json", "--parts", str(parts + SPARE), *config)
    with ExitStack() as stack:
        started = {stack.enter_context(_process(folder, "simulated cell", *sim)): "simulated cell"}
        _await_ready(folder / "simulated cell.txt")
        for name, words in (("station", ("run", "--auto-reset")), *((name, (name,)) for name in BESIDE)):
            started[stack.enter_context(_process(folder, name, *STATION, *words, *config, *data))] = name
        yield started


def _await_ready(said: Path) -> None:
    until_s = time.monotonic() + READY_S
    while '"ready"' not in said.read_text(encoding="utf-8"):
        if time.monotonic() > until_s:
            raise TimeoutError(f"the simulated cell is not ready; see {said}")
        time.sleep(0.1)


@contextmanager
def _process(folder: Path, name: str, *arguments: str) -> Iterator[int]:
    environment = {
        **os.environ, "XDG_RUNTIME_DIR": str(folder), "XDG_DATA_HOME": str(folder), "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    with (folder / f"{name}.txt").open("wb") as said:
        process = subprocess.Popen(  # this program itself
            [sys.executable, *arguments], stdin=subprocess.DEVNULL, stdout=said,
            stderr=subprocess.STDOUT, cwd=folder, env=environment, start_new_session=True,
        )  # fmt: skip
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
