"""`station --simulate` when nothing more can come: it says why and ends with status 3, in bounded time."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cell.conftest import Run, ledger_of, station_command
from tests.cell.test_shutdown import alive
from tests.cell.test_simulation import recording, row
from tests.own_children import command as command_line
from tests.own_children import descendants

BOUND_S = 60.0


MAIN = "from station.cli.app import main; main()"
STOPPED_SOON = "from station.host import shutdown; shutdown.STOP_TIMEOUT_S = 3.0; " + MAIN
"""A part in work cannot be brought to its place without devices, so that the whole time of a stop passes."""
IMPATIENT = "from station.host import simulate; simulate.SUSPENDED_FOR_GOOD_S = 5.0; " + MAIN


@contextmanager
def simulating(
    config: Path, environment: dict[str, str], *words: str | Path, program: str = STOPPED_SOON
) -> Iterator[subprocess.Popen[str]]:
    folder = config.parent
    command = station_command(
        "--simulate", "--config", config, "--data", folder / "data", "--truth", folder / "truth.jsonl", *words
    )
    command[2] = program
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder,
        env={**environment, "PYTHONPATH": root},
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def simulator_of(process: subprocess.Popen[str]) -> int:
    """The simulator's process, as soon as it runs its own program."""
    while True:
        for pid in descendants(process.pid):
            if b"sim" in command_line(pid).split(b"\0"):
                return pid
        assert process.poll() is None
        time.sleep(0.01)


def until(config: Path, event: str, place: str) -> None:
    """The truth tells of this."""
    truth, deadline = config.parent / "truth.jsonl", time.monotonic() + BOUND_S
    while not truth.exists() or (event, place) not in [(one["event"], one["place"]) for one in ledger_of(truth)]:
        assert time.monotonic() < deadline
        time.sleep(0.005)


MOMENTS = {
    "infeed": ("fed", "infeed"),
    "loading": ("picked", "gripper"),
    "turning": ("placed", "jig"),
    "sorted": ("placed", "second_inspection"),
}
QUICK_ONES, SLOW_ONES = ("infeed", "turning"), ("loading", "sorted")
"""The slow ones wait for each device in its turn, as `turning` does."""


@pytest.mark.parametrize("moment", [*QUICK_ONES, *(pytest.param(one, marks=pytest.mark.slow) for one in SLOW_ONES)])
def test_a_simulator_that_is_killed_ends_the_run_with_its_reason(
    make_config: Callable[..., Path], environment: dict[str, str], moment: str
) -> None:
    config = make_config()
    with simulating(config, environment, "--parts", "3") as process:
        simulator = simulator_of(process)
        until(config, *MOMENTS[moment])
        os.kill(simulator, signal.SIGKILL)
        said, _ = process.communicate(timeout=BOUND_S)
    assert process.returncode == 3, said
    assert "config.simulator_gone" in said
    assert "exit status -9" in said
    assert "Traceback" not in said


def test_a_simulator_that_is_killed_while_it_starts_is_a_refusal(
    make_config: Callable[..., Path], environment: dict[str, str]
) -> None:
    with simulating(make_config(), environment, "--parts", "1") as process:
        os.kill(simulator_of(process), signal.SIGKILL)
        said, _ = process.communicate(timeout=BOUND_S)
    assert process.returncode == 2, said
    assert "config.simulator_failed" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("moment", ["infeed", pytest.param("turning", marks=pytest.mark.slow)])
def test_a_simulator_that_stands_still_ends_the_run_with_a_reason(
    make_config: Callable[..., Path], environment: dict[str, str], moment: str
) -> None:
    config = make_config()
    with simulating(config, environment, "--parts", "3") as process:
        simulator = simulator_of(process)
        until(config, *MOMENTS[moment])
        os.kill(simulator, signal.SIGSTOP)
        said, _ = process.communicate(timeout=2 * BOUND_S)
    assert process.returncode == 3, said
    assert "unreachable" in said
    assert not alive(simulator)


@pytest.mark.parametrize("part_id", ["   ", "x" * 17, "Ä-1", "a\u00a0"])
def test_an_id_that_no_plc_can_announce_is_left_out_and_told(
    station: Run, make_config: Callable[..., Path], tmp_path: Path, part_id: str
) -> None:
    folder = recording(tmp_path / "recording", [row("good.png", "A"), row("good.png", part_id), row("good.png", " B ")])
    ran = station(
        "--simulate",
        "--config",
        make_config(),
        "--recordings",
        folder,
        "--speed",
        "max",
        "--json",
        "--data",
        tmp_path / "data",
    )
    assert ran.returncode == 0, ran.stderr
    assert [part["part_id"] for part in json.loads(ran.stdout)["parts"]] == ["A", "B"]
    assert "recording.bad_line" in ran.stderr


def test_scans_that_vanish_while_the_cell_runs_end_the_run_with_a_reason(
    make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    config, folder = make_config(), recording(tmp_path / "recording", [row("good.png", "A")])
    with simulating(config, environment, "--parts", "9", "--recordings", folder) as process:
        until(config, "placed", "jig")
        (folder / "good.png").unlink()
        said, _ = process.communicate(timeout=BOUND_S)
    assert process.returncode == 3, said
    assert "config.simulator_gone" in said
    assert "not one scan of it can be used" in said


def test_a_cell_that_is_suspended_for_good_ends_the_run_with_its_reason(
    make_config: Callable[..., Path], environment: dict[str, str]
) -> None:
    config = make_config()
    with simulating(
        config, environment, "--parts", "2", "--fault", "plc-permission-kept-back@1", program=IMPATIENT
    ) as process:
        said, _ = process.communicate(timeout=2 * BOUND_S)
    assert process.returncode == 3, said
    assert "The cell stopped: plc.no_permission" in said
