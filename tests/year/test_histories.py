"""Histories of the whole cell in virtual time: the same seed gives the same bytes, and no rule is broken."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.year.__main__ import main
from tests.year.history import play
from tests.year.judging import Table
from tests.year.misfortunes import Row, draw
from tests.year.planted import PLANTED
from tests.year.shrink import shrink

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SEED = 43
"""Its third part is defect-free, and no other one that is fed with it."""
pytestmark = pytest.mark.timeout(600)  # on a computer that does much else
FOUND_WITHIN = 10_000
"""Parts in which a planted fault must be found."""
SOUGHT = {
    "witness off": Row("part-stands-still", 3),
    "announcement not looked at again": Row("plc-part-swapped", 3),
    "deleted database not noticed": Row("database-moved", 3),
}
"""For each planted fault a misfortune that shows it."""


def fresh_table() -> Table:
    return Table(Random(0))  # noqa: S311  # which judgements are tried


def seeds() -> Iterator[tuple[int, int]]:
    for line in (HERE / "seeds.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            seed, parts = map(int, line.split())
            yield seed, parts


def finds() -> list[dict[str, Any]]:
    """Histories that once failed, with their misfortunes: a seed draws others when there are new ones to be drawn."""
    return [json.loads(line) for line in (HERE / "found.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the network lies that judges."""
    return tmp_path_factory.mktemp("year")


@pytest.mark.parametrize(("seed", "parts"), list(seeds()))
def test_no_rule_is_broken_whatever_befalls_the_cell(folder: Path, seed: int, parts: int) -> None:
    told = play(seed, parts, folder=folder)
    assert told.violations == [], "\n".join(told.lines[-40:])
    assert told.parts > parts // 2


@pytest.mark.parametrize("kept", finds(), ids=lambda kept: str(kept["seed"]))
def test_what_once_broke_a_rule_breaks_none_any_more(folder: Path, kept: dict[str, Any]) -> None:
    told = play(kept["seed"], kept["parts"], [Row(**row) for row in kept["rows"]], folder=folder)
    assert told.violations == [], "\n".join((kept["found"], *told.lines[-40:]))
    assert told.parts > kept["parts"] // 2


def test_the_same_seed_gives_the_same_bytes_in_another_process_and_without_the_table(tmp_path: Path) -> None:
    here = play(4, 8, folder=tmp_path, table=fresh_table())
    again = play(4, 8, folder=tmp_path)
    there = tmp_path / "history.txt"
    command = [sys.executable, "-m", "tests.year", "--seed", "4", "--each", "8", "--out", str(there)]
    subprocess.run(command, check=True, cwd=ROOT, env={"PYTHONHASHSEED": "7", "PATH": ""}, capture_output=True)
    assert here.content == again.content == there.read_bytes()
    assert here.content != play(5, 8, folder=tmp_path).content


def test_one_judgement_in_a_hundred_is_computed_and_one_that_the_table_does_not_have(folder: Path) -> None:
    table = fresh_table()
    told = play(11, 24, [], folder=folder, table=table)
    assert told.violations == []
    assert table.asked >= 24
    assert 1 <= table.computed <= 12, "there are eleven surfaces"


def test_a_table_that_does_not_say_what_the_judge_says_is_noticed(folder: Path) -> None:
    table = fresh_table()
    play(11, 12, [], folder=folder, table=table)
    steps = list(table.steps.values())
    table.steps = dict(zip(table.steps, steps[1:] + steps[:1], strict=True))
    table.chance.randrange = lambda _of: 0  # type: ignore[method-assign,misc]
    assert 6 in {rule for rule, _how in play(11, 12, [], folder=folder, table=table).violations}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_breaks_its_rule_and_shrinks_to_what_shows_it(folder: Path, name: str) -> None:
    plant, rules = PLANTED[name]
    shows, others = SOUGHT[name], [Row("plc-net-late", 2), Row("person-hold", 5, 0.2), Row("robot-net-split", 6)]

    def fails(parts: int, rows: list[Row]) -> bool:
        told = play(SEED, parts, rows, folder=folder, table=table)
        return bool(rules & {rule for rule, _how in told.violations})

    table = fresh_table()
    assert not fails(6, [shows, *others])
    table = fresh_table()
    with plant():
        assert fails(6, [shows, *others])
        shrunk = shrink(6, [*others[:2], shows, others[2]], fails)
        assert len(shrunk.rows) <= 1
        assert {row.name for row in shrunk.rows} <= {shows.name}
        assert fails(shrunk.parts, list(shrunk.rows))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_within_ten_thousand_parts(folder: Path, name: str) -> None:
    plant, rules = PLANTED[name]
    through, table = 0, fresh_table()
    with plant():
        for seed in range(1, FOUND_WITHIN):
            told = play(seed, 100, folder=folder, table=table)
            through += told.parts
            if rules & {rule for rule, _how in told.violations}:
                break
            assert through < FOUND_WITHIN
    print(f"{name}: seed {seed}, after {through} parts: {told.violations[0]}")  # noqa: T201


def test_what_is_drawn_is_kept_as_it_was_drawn() -> None:
    rows = draw(8, 500)
    assert [Row(**json.loads(json.dumps(row.as_json()))) for row in rows] == rows
    assert len(rows) > 30


def test_a_long_run_goes_on_where_it_was_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = ["--each", "4", "--folder", str(tmp_path)]
    assert main(["--parts", "5", *said]) == 0
    first = (tmp_path / "histories.jsonl").read_text(encoding="utf-8")
    with (tmp_path / "histories.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"seed": 3, "par')  # it was cut off here
    assert main(["--parts", "10", *said]) == 0
    kept = (tmp_path / "histories.jsonl").read_text(encoding="utf-8")
    assert kept.startswith(first)
    assert "of 10 parts" in capsys.readouterr().out
