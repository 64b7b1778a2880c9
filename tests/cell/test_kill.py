"""The station is killed with signal 9, again and again: nothing lost, nothing twice, nothing unjudged.

The simulated cell goes on running and keeps the truth; the station's records must agree with it part by part. A failure
prints its seed; `STATION_KILL_SEED=N pytest tests/cell/test_kill.py` plays it again.
"""

import json
import os
import random
import selectors
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from station.core.errors import StationError
from station.core.records import RecordFilter
from station.records.query import export_records
from tests.cell.conftest import Run, ledger_of, station_command

PATIENCE_S = 60


class Simulator:
    """`python -m sim` as a process, and what it says."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        assert child.stdout is not None
        self._out: IO[str] = child.stdout
        self.placed = 0
        self.fed: int | None = None

    def until_ready(self) -> dict[str, dict[str, object]]:
        """Where it listens."""
        for line in self._out:
            event = json.loads(line)
            if event["event"] == "ready":
                os.set_blocking(self._out.fileno(), False)
                return dict(event)
        raise AssertionError("the simulated cell did not start")

    def listen(self, seconds: float) -> None:
        """Take in what it says for so long, or until all parts are through."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as ready:
            ready.register(self._out, selectors.EVENT_READ)
            while (left := deadline - time.monotonic()) > 0 and not self.all_through:
                if ready.select(left):
                    self._take(self._out.readlines())

    def listen_while_parts_move(self, patience_s: float) -> None:
        """Take in what it says until all parts are through, or none came through for so long."""
        placed = -1
        while not self.all_through and self.placed > placed:
            placed = self.placed
            self.listen(patience_s)

    def listen_until_dead(self, station: subprocess.Popen[str]) -> None:
        """Take in what it says until the station is dead, or all parts are through."""
        while station.poll() is None and not self.all_through:
            self.listen(0.1)

    def _take(self, lines: list[str]) -> None:
        for line in lines:
            event = json.loads(line)
            if event["event"] == "placed" and event["place"] != "jig":
                self.placed += 1
            elif event["event"] == "infeed_empty":
                self.fed = event["fed"]

    @property
    def all_through(self) -> bool:
        """Every part lies in a bin or in the second inspection."""
        return self.fed is not None and self.placed >= self.fed


@contextmanager
def child(arguments: list[str], environment: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is ended at last."""
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder,
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()


def addressed(config: Path, ready: dict[str, dict[str, object]]) -> None:
    """Put the ports at which the simulated cell listens into the configuration."""
    text = config.read_text(encoding="utf-8")
    for device in ("robot", "plc"):
        head = f'[{device}.link]\nkind = "tcp"\nhost = "127.0.0.1"\nport = '
        text = text.replace(head + "0", head + str(ready[device]["port"]))
    config.write_text(text, encoding="utf-8")


def kill_until_all_are_through(
    config: Path, environment: dict[str, str], folder: Path, parts: int, kills: int, seed: int, faults: str = ""
) -> int:
    """Run the cell, with named faults or without, and kill the station at random moments; how often it was killed."""
    moments = random.Random(seed)  # noqa: S311  # moments, not secrets
    data, truth = folder / "data", folder / "truth.jsonl"
    simulator = [sys.executable, "-m", "sim", "--config", str(config), "--parts", str(parts), "--speed", "max"]
    simulator += ["--fault", faults] if faults else []
    killed = 0
    with child([*simulator, "--report", "json", "--truth", str(truth)], environment, folder) as process:
        cell = Simulator(process)
        addressed(config, cell.until_ready())
        command = station_command("run", "--config", config, "--data", data, "--auto-reset")
        while not cell.all_through and killed < kills:
            with child(command, environment, folder) as station:
                cell.listen(moments.uniform(0.8, 3.2))
                station.send_signal(signal.SIGKILL)
                killed += 1
        with child(command, environment, folder) as station:
            finish(cell, station, data, parts, f"seed {seed}")
    return killed


def finish(cell: Simulator, station: subprocess.Popen[str], data: Path, parts: int, told: str) -> None:
    """Let the station take the rest of the parts through and close its records, then stop it in order."""
    cell.listen_while_parts_move(PATIENCE_S)
    assert cell.all_through, f"{told}: {cell.placed} of {cell.fed} parts through"
    deadline = time.monotonic() + PATIENCE_S
    while (closed := len(closed_records(data))) < parts:
        assert time.monotonic() < deadline, f"{told}: {closed} of {parts} records closed"
        time.sleep(0.05)
    station.terminate()
    station.communicate(timeout=PATIENCE_S)


def closed_records(data: Path) -> list[dict[str, object]]:
    """Records that are no longer in work; none while there is no database."""
    try:
        rows = json.loads("".join(export_records(data, RecordFilter(), "json")))
    except StationError:
        return []
    return [row for row in rows if row["state"] in {"sorted", "lost"}]


def agree(station: Run, folder: Path, parts: int, seed: int) -> None:
    """The station's records and the truth, part by part; what was withdrawn before it was loaded has no place in it."""
    rows = json.loads(station("records", "export", "--json", "--data", folder / "data").stdout)
    records = [row for row in rows if row["state"] != "withdrawn"]
    entries = ledger_of(folder / "truth.jsonl")
    ended = {entry["part_id"]: entry["place"] for entry in entries if entry["event"] == "placed"}
    labels = {entry["part_id"]: entry["label"] for entry in entries}
    confirmed = {record["part_id"]: record["confirmed_bin"] for record in records if record["state"] == "sorted"}
    told = f"seed {seed}"
    assert len(ended) == parts, told
    assert confirmed == ended, told
    assert Counter(record["part_id"] for record in records).most_common(1)[0][1] == 1, told
    assert [record for record in records if record["state"] != "sorted"] == [], told
    passed = [record for record in records if record["confirmed_bin"] == "second_inspection"]
    assert all(len(record["probabilities"]) == 16 and record["scan_valid"] for record in passed), told
    assert all(labels[record["part_id"]] == "defect_free" for record in passed), told


def seed_of(default: int) -> int:
    """The seed of this run."""
    return int(os.environ.get("STATION_KILL_SEED", default))


def test_killed_and_started_again_the_station_loses_no_part(
    station: Run, make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    seed = seed_of(11)
    killed = kill_until_all_are_through(make_config(), environment, tmp_path, parts=8, kills=5, seed=seed)
    assert killed
    agree(station, tmp_path, 8, seed)


TAKEN_BACK = "plc-part-swapped@2,plc-part-renamed@4,plc-part-cleared@5,plc-restarted@7,plc-permission-lost@9"


def test_killed_while_announcements_change_the_station_takes_no_part_for_another(
    station: Run, make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    seed = seed_of(12)
    kill_until_all_are_through(make_config(), environment, tmp_path, 8, kills=6, seed=seed, faults=TAKEN_BACK)
    agree(station, tmp_path, 8, seed)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_hundred_parts_survive_fifty_kills(
    station: Run, make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path, seed: int
) -> None:
    killed = kill_until_all_are_through(make_config(), environment, tmp_path, parts=100, kills=50, seed=seed_of(seed))
    print(f"seed {seed}: {killed} kills")  # noqa: T201
    agree(station, tmp_path, 100, seed)


DIES_AT = """
import os, signal
from station.records.ledger import SqliteLedger
write, seen = SqliteLedger._write, 0
async def counted(self, job):
    global seen
    seen += 1
    if seen == {step} and {moment!r} == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    done = await write(self, job)
    if seen == {step} and {moment!r} == "after":
        os.kill(os.getpid(), signal.SIGKILL)
    return done
SqliteLedger._write = counted
from station.cli.app import main
main()
"""
STEPS = 44
"""Writes of a start and two parts."""


def die_at_a_step(config: Path, environment: dict[str, str], folder: Path, step: int, moment: str) -> None:
    """Two parts; the station dies at this write of its journal, and another takes up."""
    data, truth = folder / "data", folder / "truth.jsonl"
    simulator = [sys.executable, "-m", "sim", "--config", str(config), "--parts", "2", "--speed", "max"]
    arguments = ["run", "--config", str(config), "--data", str(data), "--auto-reset"]
    with child([*simulator, "--report", "json", "--truth", str(truth)], environment, folder) as process:
        cell = Simulator(process)
        addressed(config, cell.until_ready())
        dying = [sys.executable, "-c", DIES_AT.format(step=step, moment=moment), *arguments]
        with child(dying, environment, folder) as station:
            cell.listen_until_dead(station)
        with child(station_command(*arguments), environment, folder) as station:
            finish(cell, station, data, 2, f"step {step}, {moment}")


@pytest.mark.parametrize(("step", "moment"), [(14, "after"), (20, "after"), (22, "before")])
def test_killed_at_a_step_of_its_journal_the_station_takes_up(
    station: Run, make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path, step: int, moment: str
) -> None:
    die_at_a_step(make_config(), environment, tmp_path, step, moment)
    agree(station, tmp_path, 2, step)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_killed_at_every_step_of_its_journal_the_station_takes_up(
    station: Run, make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path, step: int, moment: str
) -> None:
    die_at_a_step(make_config(), environment, tmp_path, step, moment)
    agree(station, tmp_path, 2, step)
