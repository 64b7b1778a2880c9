"""How the work of an archive is dealt out: what a worker had that ended is given to others, and no scan is lost."""

from collections import Counter, deque
from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.errors import ArchiveError
from station.cli.app import app
from station.core.errors import ModelError
from station.offline.archive.crew import MOST_ENDS, Returned, judged_by
from station.offline.archive.judging import Chunk, Row
from station.offline.archive.scans import Scan
from station.offline.inspect import Wanted
from tests.free_port import free_port

MODEL = "ab" * 32


def scan(number: int) -> Scan:
    return Scan(Wanted(Path(f"{number}.png"), None), "2026-05-01", sha256=f"{number:064x}")


class Scripted:
    """A crew whose workers end over chosen scans, so often as is said, and answer otherwise in the reverse order."""

    def __init__(self, ends: dict[str, int], workers: int = 2) -> None:
        self.ends = Counter(ends)
        self.given: list[list[str]] = []
        self._workers = workers
        self._chunks: deque[Chunk] = deque()
        self._loaded = False

    @property
    def free(self) -> bool:
        return self._loaded and len(self._chunks) < self._workers

    def give(self, chunk: Chunk) -> None:
        self.given.append([one.wanted.file.name for one in chunk.scans])
        self._chunks.append(chunk)

    def take(self) -> list[Returned]:
        if not self._loaded:
            self._loaded = True
            return []
        chunk = self._chunks.pop()
        names = [one.wanted.file.name for one in chunk.scans]
        if broken := [name for name in names if self.ends[name] > 0]:
            self.ends[broken[0]] -= 1
            return [(chunk, None)]
        return [(chunk, [{"file": name} for name in names])]

    def close(self) -> None:
        """Nothing is held."""


def judged(crew: Scripted, scans: int, per_chunk: int = 3) -> list[Row]:
    every = [scan(number) for number in range(scans)]
    chunks = (Chunk(tuple(every[start : start + per_chunk])) for start in range(0, scans, per_chunk))
    return list(judged_by(crew, chunks, MODEL))


def test_every_scan_has_one_row_whichever_worker_answers_first() -> None:
    rows = judged(Scripted({}), 10)
    assert sorted(row["file"] for row in rows) == sorted(f"{number}.png" for number in range(10))


def test_no_worker_is_started_for_nothing() -> None:
    crew = Scripted({})
    assert judged(crew, 0) == []
    assert crew.given == []


def test_what_a_worker_had_that_ended_is_given_on_a_scan_at_a_time() -> None:
    crew = Scripted({"4.png": 1})
    rows = judged(crew, 9)
    assert sorted(row["file"] for row in rows) == sorted(f"{number}.png" for number in range(9))
    assert all("error" not in row for row in rows)
    assert [given for given in crew.given if len(given) == 1] == [["3.png"], ["4.png"], ["5.png"]]


def test_a_scan_over_which_worker_after_worker_ends_has_a_row_that_says_so_and_the_others_are_judged() -> None:
    crew = Scripted({"4.png": 100})
    rows = {row["file"]: row for row in judged(crew, 9)}
    assert len(rows) == 9
    assert [name for name, row in rows.items() if "error" in row] == ["4.png"]
    lost = rows["4.png"]
    assert (lost["error"], lost["scan_sha256"], lost["model_sha256"]) == ("archive.worker_ended", f"{4:064x}", MODEL)
    assert sum("4.png" in given for given in crew.given) == MOST_ENDS


def test_a_crew_that_cannot_judge_at_all_ends_the_work() -> None:
    class Unable(Scripted):
        def take(self) -> list[Returned]:
            raise ModelError("model.engine_failed", "no such arithmetic")

    with pytest.raises(ModelError, match="no such arithmetic"):
        judged(Unable({}), 3)


@pytest.mark.parametrize(
    "arguments",
    [("archive", "inspect", ".", "--out", "out"), ("archive", "differences", "out"), ("cluster", "status", "host:1")],
)
def test_without_its_packages_a_command_says_what_to_install(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("archive", "cluster"):
        monkeypatch.setattr(f"station.cli.{module}.find_spec", lambda _name: None)
    refused = CliRunner().invoke(app, list(arguments)).exception
    assert isinstance(refused, ArchiveError)
    assert (refused.code, "requirements/cluster.txt" in refused.detail) == ("archive.not_installed", True)


@pytest.mark.parametrize("command", ["join", "status"])
def test_a_cluster_that_is_not_there_is_neither_joined_nor_asked(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.cli.cluster.find_spec", lambda _name: object())
    for address in (f"127.0.0.1:{free_port()}", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:port", ":6379"):
        refused = CliRunner().invoke(app, ["cluster", command, address]).exception
        assert isinstance(refused, ArchiveError)
        assert (refused.code, address in refused.detail) == ("archive.no_cluster", True)
