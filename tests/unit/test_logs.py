"""The log's file is where people look for it, whatever happens to it; and what happens to it stops nothing."""

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from station.core.logs import configure_logs, settle_logs


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    root = logging.getLogger()
    before = root.handlers, root.level
    configure_logs("error", tmp_path / "data" / "logs")
    yield tmp_path / "data" / "logs"
    for handler in set(root.handlers) - set(before[0]):
        handler.close()
    root.handlers, root.level = before
    structlog.reset_defaults()


def told(folder: Path) -> list[str]:
    return [json.loads(line)["event"] for line in (folder / "station.jsonl").read_text().splitlines()]


def say(event: str) -> None:
    structlog.get_logger().info(event)
    settle_logs(10)


def replace(folder: Path) -> None:
    (folder / "new").touch()
    (folder / "new").replace(folder / "station.jsonl")


@pytest.mark.parametrize(
    "lose",
    [
        lambda folder: (folder / "station.jsonl").unlink(),
        lambda folder: (folder / "station.jsonl").rename(folder / "old.jsonl"),
        replace,
        shutil.rmtree,
    ],
)
def test_a_log_that_was_taken_away_is_begun_anew_with_the_next_line(
    folder: Path, lose: Callable[[Path], object]
) -> None:
    say("before")
    lose(folder)
    say("after")
    say("later")
    assert told(folder) == ["after", "later"]


def test_a_data_folder_that_was_taken_away_is_not_made_anew_and_the_log_goes_on_when_it_is_back(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    say("before")
    folder.parent.rename(folder.parent.with_name("elsewhere"))
    say("meanwhile")
    assert not folder.parent.exists()
    folder.parent.with_name("elsewhere").rename(folder.parent)
    say("after")
    assert told(folder) == ["before", "meanwhile", "after"]
    assert capsys.readouterr().err == ""
