"""Text that nobody waits for: into a pipe that is read, slow, full or left, onto a full disk, in a narrow encoding."""

import contextlib
import io
import json
import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import structlog

from station.core.background_writer import ROOM_BYTES
from station.core.log_file import LogFile
from station.core.outlet import Outlet
from tests.stopwatch import stopwatch


@contextmanager
def pipe(encoding: str = "utf-8") -> Iterator[tuple[int, io.TextIOWrapper]]:
    """The reading end, and a stream into the writing end."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding=encoding) as stream:
        try:
            yield reading, stream
        finally:
            os.close(reading)


def test_everything_arrives_in_order_from_several_threads() -> None:
    with pipe() as (reading, stream):
        outlet = Outlet.of(stream, "pipe")
        tellers = [threading.Thread(target=lambda n=n: [outlet.write(f"{n} {i}\n") for i in range(200)]) for n in "abc"]
        for teller in tellers:
            teller.start()
        for teller in tellers:
            teller.join()
        assert outlet.close()
        lines = os.read(reading, ROOM_BYTES).decode().splitlines()
        assert len(lines) == 600
        for name in "abc":
            assert [line for line in lines if line[0] == name] == [f"{name} {i}" for i in range(200)]


@pytest.mark.parametrize(
    ("encoding", "seen"), [("ascii", b"A ? B\n"), ("latin-1", b"A ? B\n"), ("utf-8", "A → B\n".encode())]
)
def test_what_the_encoding_does_not_have_is_replaced(encoding: str, seen: bytes) -> None:
    with pipe(encoding) as (reading, stream):
        outlet = Outlet.of(stream, "pipe")
        assert outlet.encoding == encoding
        outlet.write("A → B\n")
        assert outlet.close()
        assert os.read(reading, 100) == seen


def test_a_half_character_of_a_foreign_file_name_does_no_harm() -> None:
    with pipe() as (reading, stream):
        outlet = Outlet.of(stream, "pipe")
        outlet.write("\udcff.png\n")
        assert outlet.close()
        assert os.read(reading, 100) == b"?.png\n"


def test_a_reader_that_reads_nothing_costs_neither_time_nor_memory_and_what_it_misses_is_counted() -> None:
    with pipe() as (reading, stream), structlog.testing.capture_logs() as told:
        outlet = Outlet.of(stream, "pipe")
        with stopwatch() as watch:
            for _ in range(3000):
                assert outlet.write("x" * 1000) == 1000
        assert watch.s < 1.0
        with stopwatch() as watch:
            assert not outlet.close(patience_s=0.05)
        assert watch.s < 1.0
        os.set_blocking(reading, False)
    dropped = [entry["writes"] for entry in told if entry["event"] == "output_dropped"]
    assert sum(dropped) > 3000 - (ROOM_BYTES + (1 << 17)) // 1000


def test_a_slow_reader_gets_all_of_a_document_that_is_longer_than_what_may_wait() -> None:
    document = "y" * (2 * ROOM_BYTES)
    with pipe() as (reading, stream):
        outlet = Outlet.of(stream, "pipe")
        got = []

        def read() -> None:
            while sum(map(len, got)) < len(document):
                got.append(os.read(reading, 10_000))

        reader = threading.Thread(target=read)
        outlet.write(document)
        reader.start()
        assert outlet.close(patience_s=5.0)
        reader.join()
        assert b"".join(got) == document.encode()


def test_what_was_dropped_is_told_when_the_reader_reads_again() -> None:
    with pipe() as (reading, stream), structlog.testing.capture_logs() as told:
        outlet = Outlet.of(stream, "pipe")
        for _ in range(3000):
            outlet.write("x" * 1000)
        os.set_blocking(reading, False)
        while not told:
            with contextlib.suppress(BlockingIOError):
                os.read(reading, ROOM_BYTES)
        assert told[0] == {
            "event": "output_dropped",
            "log_level": "warning",
            "output": "pipe",
            "writes": told[0]["writes"],
        }
        outlet.write("here again")
        assert outlet.close()


def test_a_reader_that_has_gone_is_given_up_once() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with structlog.testing.capture_logs() as told, os.fdopen(writing, "w", encoding="utf-8") as stream:
        outlet = Outlet.of(stream, "pipe")
        for _ in range(100):
            outlet.write("line\n")
            outlet.settle()
        assert not outlet.close()
    assert [(entry["event"], entry["output"]) for entry in told] == [("output_given_up", "pipe")]


def test_a_full_disk_is_given_up_once() -> None:
    with structlog.testing.capture_logs() as told, Path("/dev/full").open("w", encoding="utf-8") as stream:
        outlet = Outlet.of(stream, "disk")
        outlet.write("line\n")
        assert not outlet.settle()
        outlet.write("line\n")
        assert not outlet.close()
    assert [entry["event"] for entry in told] == ["output_given_up"]
    assert "No space left" in told[0]["error"]


def test_a_pipe_that_somebody_has_set_not_to_block_is_waited_for() -> None:
    document = "z" * 300_000
    with pipe() as (reading, stream):
        os.set_blocking(stream.fileno(), False)
        outlet = Outlet.of(stream, "pipe")
        outlet.write(document)
        got = b""
        while len(got) < len(document):
            got += os.read(reading, 65536)
        assert outlet.close()


def test_an_output_that_is_not_there_takes_everything() -> None:
    outlet = Outlet.of(None, "standard output")
    outlet.write("line\n")
    assert outlet.close()
    assert not outlet.isatty()


def test_a_stream_without_a_file_is_written_too() -> None:
    stream = io.StringIO()
    outlet = Outlet.of(stream, "memory")
    outlet.write("line\n")
    assert outlet.close()
    assert stream.getvalue() == "line\n"


# ---- the log on the disk ----


def taken(file: LogFile, *lines: str) -> None:
    for line in lines:
        assert file.take(f"{line}\n".encode()) == len(line) + 1


def test_the_log_is_rotated_and_the_oldest_ends(tmp_path: Path) -> None:
    with closing(LogFile(tmp_path / "logs" / "log", 20, 3)) as file:
        taken(file, *(f"line {number:02d}" for number in range(10)))
    kept = {path.name: path.read_text().split("\n")[:-1] for path in (tmp_path / "logs").iterdir()}
    assert kept == {"log": ["line 08", "line 09"], "log.1": ["line 06", "line 07"], "log.2": ["line 04", "line 05"]}


@pytest.mark.parametrize("how", ["deleted", "moved", "folder deleted"])
def test_a_log_that_somebody_took_away_is_begun_anew(tmp_path: Path, how: str) -> None:
    path = tmp_path / "logs" / "log"
    with closing(LogFile(path, 1000, 3)) as file:
        taken(file, "before")
        if how == "moved":
            path.rename(tmp_path / "elsewhere")
        else:
            path.unlink()
        if how == "folder deleted":
            path.parent.rmdir()
        taken(file, "after")
    assert path.read_text() == "after\n"


def test_a_disk_that_fails_costs_lines_and_says_so_once_and_when_it_is_over(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "log"
    with structlog.testing.capture_logs() as told, closing(LogFile(path, 1000, 3)) as file:
        (tmp_path / "logs").rmdir()
        (tmp_path / "logs").write_text("no folder")
        taken(file, "a", "b", "c")
        assert [entry["event"] for entry in told] == ["log_file_failed"]
        (tmp_path / "logs").unlink()
        taken(file, "d")
    assert path.read_text() == "d\n"
    assert (told[1]["event"], told[1]["writes_lost"]) == ("log_file_written_again", 3)


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    with closing(LogFile(tmp_path / "log", 1000, 3)) as file:
        taken(file, json.dumps({"event": "before"}))
        monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:5]))
        taken(file, json.dumps({"event": "cut"}))
        monkeypatch.undo()
        taken(file, json.dumps({"event": "after"}))
    assert [json.loads(line)["event"] for line in (tmp_path / "log").read_text().splitlines()] == ["before", "after"]
