"""A simulated cell with every process that a plant has beside it, started as a user starts it."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from config import bundled
from tests.cell.own_config import own_config
from tests.free_port import free_port

COMMAND = "from station.cli import main; main()"
SPARE = 100
END_S = 120.0
"""How long a process may take to end after SIGTERM: the cell stops in order first."""
ROOT = Path(__file__).parents[2]
KEPT = '["review"]'
"""Verdicts whose scans are archived: few, so that the disk does not fill in a day."""
THROUGH = "SELECT count(*) FROM inspections WHERE state IN ('sorted', 'lost')"


def configuration(folder: Path) -> Path:
    """The shipped simulation with free ports and few scans that are kept; written once, and then as it is."""
    path = folder / "cell.toml"
    if not path.exists():
        shipped = bundled("simulate.toml").read_text(encoding="utf-8")
        archived = re.search(r"^archive = (\[.*\])$", shipped, re.MULTILINE)
        assert archived is not None
        ports = [(f"port = {tomllib.loads(shipped)[name]['port']}", f"port = {free_port()}") for name in PORTS]
        own_config(folder, (archived[0], f"archive = {KEPT}"), *ports)
    return path


PORTS = ("page", "opcua")
"""Servers that other computers would call."""


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
    """The cell, its page and its plant's servers, with the data folder `data`; they are ended in order.

    Args:
        folder: Where configuration, data and what the processes say lie.
        parts: How many parts are to be got through; some more come, so that the last look is at a cell that works.

    Yields:
        What was started: process numbers, and what they are.
    """
    config, data = configuration(folder), folder / "data"
    simulate = ("--simulate", "--page", "--speed", "max", "--parts", str(parts + SPARE))
    with ExitStack() as stack:
        started = {
            stack.enter_context(_process(folder, name, *words, "--config", str(config), "--data", str(data))): name
            for name, words in (("station", simulate), ("opcua", ("opcua",)), ("sparkplug", ("sparkplug",)))
        }
        yield started


@contextmanager
def _process(folder: Path, name: str, *arguments: str) -> Iterator[int]:
    environment = {
        **os.environ, "XDG_RUNTIME_DIR": str(folder), "XDG_DATA_HOME": str(folder), "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    with (folder / f"{name}.txt").open("ab") as said:
        process = subprocess.Popen(  # this program itself
            [sys.executable, "-c", COMMAND, *arguments], stdin=subprocess.DEVNULL, stdout=said,
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
