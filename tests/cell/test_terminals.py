"""What the station prints and logs is no part of the work: a terminal, pipe or disk that fails stops no line."""

import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from station.host.shutdown import STOP_TIMEOUT_S
from tests.cell.conftest import Run, ledger_of, station_command
from tests.cell.test_kill import Simulator, addressed, child, closed_records

PARTS = 3
PATIENCE_S = 60.0
File = int | IO[Any]
LOUD = ('log_level = "warning"', 'log_level = "info"')


@pytest.fixture
def config(make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path) -> Iterator[Path]:
    """A running simulated cell, and the configuration that leads to it."""
    written, truth = make_config(LOUD), tmp_path / "truth.jsonl"
    simulator = [sys.executable, "-m", "sim", "--config", str(written), "--parts", str(PARTS), "--speed", "max"]
    with child([*simulator, "--report", "json", "--truth", str(truth)], environment, tmp_path) as process:
        addressed(written, Simulator(process).until_ready())
        yield written


@contextmanager
def running(
    config: Path, environment: dict[str, str], out: File, errors: File, **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """The station at work on these two files."""
    root = str(Path(__file__).parents[2])
    command = station_command("run", "--config", config, "--data", config.parent / "data", "--auto-reset")
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, cwd=config.parent,
        env={**environment, "PYTHONPATH": root}, **options,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def sorts_all(config: Path) -> None:
    """All parts are sorted."""
    deadline = time.monotonic() + PATIENCE_S
    while (closed := len(closed_records(config.parent / "data"))) < PARTS:
        assert time.monotonic() < deadline, f"{closed} of {PARTS} parts are sorted"
        time.sleep(0.05)


def ends_in_order(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> None:
    process.send_signal(number)
    assert process.wait(timeout=STOP_TIMEOUT_S + 10) == 0


def logged(config: Path) -> list[dict[str, Any]]:
    log = config.parent / "data" / "logs" / "station.jsonl"
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def events(config: Path) -> list[str]:
    return [entry["event"] for entry in logged(config)]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "shift_jis"])
def test_a_terminal_of_another_encoding_shows_what_it_can(
    config: Path, environment: dict[str, str], tmp_path: Path, encoding: str
) -> None:
    printed = tmp_path / "printed"
    with printed.open("wb") as out:
        narrow = {**environment, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
        with running(config, narrow, out, subprocess.DEVNULL) as process:
            sorts_all(config)
            ends_in_order(process)
    lines = [line for line in printed.read_text(encoding=encoding).splitlines() if " bin_" in line or " second" in line]
    assert len(lines) == PARTS
    assert ("→" in lines[0]) is (encoding == "shift_jis")
    assert not {"watcher_dropped", "bug_met"} & set(events(config))


def reader_gone() -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.fixture(autouse=True)
def _readers() -> Iterator[None]:
    """Readers of full pipes are closed with the test."""
    yield
    while READERS:
        os.close(READERS.pop())


READERS: list[int] = []


def full_pipe() -> int:
    """A pipe whose reader, which stays open until the test is over, reads nothing, and which is full."""
    reading, writing = os.pipe()
    READERS.append(reading)
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, b"x" * 4096)
    return writing


def full_disk() -> int:
    return os.open("/dev/full", os.O_WRONLY)


OUTPUTS = [reader_gone, full_pipe, full_disk]


@pytest.mark.parametrize("make", OUTPUTS)
@pytest.mark.parametrize("which", ["standard output", "standard error"])
def test_an_output_that_takes_nothing_does_not_stop_the_cell(
    config: Path, environment: dict[str, str], make: Callable[[], int], which: str
) -> None:
    file = make()
    outputs = (file, subprocess.DEVNULL) if which == "standard output" else (subprocess.DEVNULL, file)
    with running(config, environment, *outputs) as process:
        os.close(file)
        sorts_all(config)
        ends_in_order(process)
    assert not {"watcher_dropped", "bug_met", "event_loop_stalled"} & set(events(config))
    given_up = [entry["output"] for entry in logged(config) if entry["event"] == "output_given_up"]
    assert given_up == ([] if make is full_pipe else [which])


def test_a_station_without_any_output_runs(config: Path, environment: dict[str, str]) -> None:
    def close_all() -> None:
        for number in range(3):
            os.close(number)

    with running(config, environment, subprocess.DEVNULL, subprocess.DEVNULL, preexec_fn=close_all) as process:
        sorts_all(config)
        ends_in_order(process)


def test_a_closed_terminal_stops_the_cell_in_order(config: Path, environment: dict[str, str], tmp_path: Path) -> None:
    master, slave = pty.openpty()

    def own_terminal() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whatever these tests were started from
        os.setsid()
        fcntl.ioctl(0, 0x540E, 0)  # TIOCSCTTY

    root = str(Path(__file__).parents[2])
    command = station_command("run", "--config", config, "--data", tmp_path / "data", "--auto-reset")
    with subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, cwd=tmp_path, preexec_fn=own_terminal,  # noqa: PLW1509
        env={**environment, "PYTHONPATH": root, "TERM": "xterm"},
    ) as process:  # fmt: skip
        os.close(slave)
        truth, shown = tmp_path / "truth.jsonl", b""
        while not truth.exists() or "jig" not in [entry["place"] for entry in ledger_of(truth)]:
            shown += os.read(master, 65536)
        assert b"inspection cell" in shown
        os.close(master)
        try:
            assert process.wait(timeout=STOP_TIMEOUT_S + 10) == 0
        finally:
            process.kill()
    assert "SIGHUP" in [entry.get("signal") for entry in logged(config)]
    assert {record["state"] for record in closed_records(tmp_path / "data")} == {"sorted"}
    ended = {entry["part_id"]: entry["place"] for entry in ledger_of(truth) if entry["event"] == "placed"}
    assert "jig" not in ended.values()


def test_a_hang_up_that_is_ignored_stays_ignored(config: Path, environment: dict[str, str]) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with running(config, environment, subprocess.DEVNULL, subprocess.DEVNULL, preexec_fn=ignore) as process:
        while not closed_records(config.parent / "data"):
            time.sleep(0.02)
        process.send_signal(signal.SIGHUP)
        sorts_all(config)
        ends_in_order(process)
    assert [entry["signal"] for entry in logged(config) if entry["event"] == "stop_requested"] == ["SIGTERM"]


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGTTOU, signal.SIGTTIN])
def test_a_terminal_cannot_put_a_running_cell_aside(config: Path, environment: dict[str, str], number: int) -> None:
    with running(config, environment, subprocess.DEVNULL, subprocess.DEVNULL, process_group=0) as process:
        while not closed_records(config.parent / "data"):
            time.sleep(0.02)
        os.killpg(process.pid, number)
        sorts_all(config)
        ends_in_order(process)
    assert ("not_put_aside" in events(config)) is (number == signal.SIGTSTP)
    assert "part_rescanned" not in events(config)


def test_a_supervisor_that_ends_the_whole_group_lets_the_part_in_work_be_finished(
    config: Path, environment: dict[str, str]
) -> None:
    with running(config, environment, subprocess.DEVNULL, subprocess.DEVNULL, start_new_session=True) as process:
        truth = config.parent / "truth.jsonl"
        while not truth.exists() or "jig" not in [entry["place"] for entry in ledger_of(truth)]:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(timeout=STOP_TIMEOUT_S + 10) == 0
    assert "part_rescanned" not in events(config)
    assert {record["reason"] for record in closed_records(config.parent / "data")} == {None}


def test_a_log_folder_that_is_deleted_is_made_again(config: Path, environment: dict[str, str]) -> None:
    logs = config.parent / "data" / "logs"
    with running(config, environment, subprocess.DEVNULL, subprocess.DEVNULL) as process:
        while not closed_records(config.parent / "data"):
            time.sleep(0.02)
        for file in logs.iterdir():
            file.unlink()
        logs.rmdir()
        sorts_all(config)
        ends_in_order(process)
    assert "state_changed" in events(config)


def test_a_log_that_the_disk_does_not_take_is_told_in_one_line(
    config: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "data" / "logs").mkdir(parents=True)
    (tmp_path / "data" / "logs" / "station.jsonl").symlink_to("/dev/full")
    told = tmp_path / "errors"
    with told.open("wb") as errors, running(config, environment, subprocess.DEVNULL, errors) as process:
        sorts_all(config)
        ends_in_order(process)
    words = told.read_text(encoding="utf-8")
    assert words.count("log_file_failed") == 1
    assert "Traceback" not in words
    assert "Logging error" not in words


# ---- at the end, and commands that only print ----


def test_a_document_that_nobody_takes_is_an_exit_status(
    make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    command = station_command(
        "--simulate", "--config", make_config(), "--parts", "1", "--speed", "max", "--json", "--data", tmp_path / "data"
    )
    for make in OUTPUTS:
        file = make()
        ran = subprocess.run(
            command, stdout=file, stderr=subprocess.PIPE, cwd=tmp_path, timeout=PATIENCE_S, check=False,
            env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        os.close(file)
        assert ran.returncode == 1, (make, ran.stderr)
        assert b"Traceback" not in ran.stderr
        assert b"Exception ignored" not in ran.stderr


@pytest.mark.parametrize("words", [("faults",), ("registers", "plc"), ("settings",)])
@pytest.mark.parametrize("make", [reader_gone, full_disk])
def test_a_command_whose_output_takes_nothing_ends_without_a_stack_of_calls(
    environment: dict[str, str], tmp_path: Path, words: tuple[str, ...], make: Callable[[], int]
) -> None:
    file = make()
    ran = subprocess.run(
        station_command(*words), stdout=file, stderr=subprocess.PIPE, cwd=tmp_path, timeout=PATIENCE_S, check=False,
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    os.close(file)
    assert ran.returncode == 1
    assert b"Traceback" not in ran.stderr
    assert b"Exception ignored" not in ran.stderr
    assert (b"No space left" in ran.stderr) is (make is full_disk)


def test_a_command_prints_what_a_narrow_terminal_has(station: Run, environment: dict[str, str]) -> None:
    environment["PYTHONIOENCODING"] = "ascii"
    ran = station("registers", "plc")
    assert ran.returncode == 0, ran.stderr
    assert "next_part_id" in ran.stdout
