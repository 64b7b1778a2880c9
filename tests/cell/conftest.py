"""The station as a user runs it: processes, real sockets, a real pseudo-terminal, the real producer."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cell.own_config import own_config

Run = Callable[..., subprocess.CompletedProcess[str]]
TIMEOUT_S = 110


@pytest.fixture
def make_config(tmp_path: Path) -> Callable[..., Path]:
    """Writes the shipped simulation's configuration with free ports and names of its own, and replacements of text."""
    return partial(own_config, tmp_path)


def narrowest_types(config: Path) -> Path:
    """The configuration with nothing but its two narrowest types, which are rendered soonest."""
    text, cut, _rest = config.read_text(encoding="utf-8").partition("[part_types.smh_690]")
    assert cut
    config.write_text(text, encoding="utf-8")
    return config


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing leaves the test's own folder."""
    return {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "COLUMNS": "140"}


@pytest.fixture
def station(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Runs a `station` command to its end, in the test's own folder."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            station_command(*arguments), capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
            cwd=tmp_path, env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip

    return run


def station_command(*arguments: str | Path) -> list[str]:
    """The command line of the station, as the installed script has it."""
    return [sys.executable, "-c", "from station.cli.app import main; main()", *map(str, arguments)]


def ledger_of(truth: Path) -> list[dict[str, Any]]:
    """The simulated cell's own ledger."""
    return [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
