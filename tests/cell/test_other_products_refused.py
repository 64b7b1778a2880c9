"""A configuration, network or database that does not fit says so at the start, and nothing moves."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from sim.ledger import Happening
from station.core.errors import StationError
from tests.cell.fault_bench import Truth
from tests.cell.product_bench import product_cell
from tests.cell.product_lines import RING, RINGS
from tests.cell.products import Replacement, Shown, make_recording, product

MakeConfig = Callable[..., Path]
BIN_ROW = '[[places]]\ncode = 3\nname = "bin"\n'
CRACK = 'name = "crack"\nplace = "bin"\nseverity = 5\n'
STAIN_ROW = '[[classes]]\ncode = 31\nname = "stain"\nplace = "bin"\nseverity = 1\n'
REVIEW = '[review]\ncode = 99\nplace = "bin"\n'
PLACES = f'[[places]]\ncode = 7\nname = "good_parts"\n\n{BIN_ROW}'
MANY = "".join(f'[[classes]]\ncode = {1000 + n}\nname = "c{n}"\nplace = "bin"\n' for n in range(297))
MANY_PLACES = "".join(f'[[places]]\ncode = {1 + n}\nname = "p{n}"\n' for n in range(15))


@dataclass(frozen=True)
class Row:
    """What is changed in the configuration, and how the refusal reads."""

    what: str
    changes: tuple[Replacement, ...]
    words: str
    code: str = "config.invalid"


def crack(**keys: str) -> tuple[Replacement, ...]:
    """The class `crack` with other keys."""
    row = f"code = 21\n{CRACK}"
    return ((row, "\n".join(f"{key} = {value}" for key, value in {**CRACK_KEYS, **keys}.items()) + "\n"),)


CRACK_KEYS = {"code": "21", "name": '"crack"', "place": '"bin"', "severity": "5"}
ROWS = (
    Row("two passes", crack(severity="0", **{"pass": "true"}), "exactly one must have pass = true, not good, crack"),
    Row("no pass", (("severity = 0\npass = true\n", "severity = 2\n"),), "exactly one must have pass = true, not none"),
    Row("code 0", crack(code="0"), "classes.2.code = 0"),
    Row("code twice", crack(code="31"), "classes: code 31 is used 2 times"),
    Row("review's code", crack(code="99"), "classes: code 99 is used 2 times"),
    Row("missing place", ((BIN_ROW, ""),), "classes.crack: there is no place bin; [[places]] has good_parts"),
    Row("defect among good", crack(place='"good_parts"'), "classes.crack: the place good_parts is where good parts go"),
    Row("review among good", ((REVIEW, REVIEW.replace("bin", "good_parts")),), "review: the place good_parts is where"),
    Row("no identifier", crack(name='"Riß 1"'), "classes.2.name = 'Riß 1'"),
    Row("300 classes", ((REVIEW, REVIEW + MANY),), "classes: 300 rows, possible are 2 to 64"),
    Row(
        "more places than one word has bits",
        ((PLACES, PLACES + MANY_PLACES),),
        "places: 17 rows, at most 16 are possible, for bins_full is one word",
    ),
    Row(
        "a place beyond the last bit",
        ((PLACES, f'{PLACES}[[places]]\ncode = 17\nname = "p17"\n'),),
        "places.2.code = 17",
    ),
    Row("no places", ((PLACES, ""),), "classes and review without places: classes, places and review are given"),
    Row("no review", ((REVIEW, ""),), "classes and places without review: classes, places and review are given"),
    Row(
        "no whole rows",
        (("patch_px = 256\n", "patch_px = 192\n"),),
        "part_types.ring.geometry: a block of 448 lines makes no whole rows of a patch of 192 px",
    ),
    Row(
        "class unknown to the table",
        ((STAIN_ROW, ""),),
        "part_types.ring: ring-1 answers stain, which [[classes]] does not have: good, crack",
        "model.wrong_classes",
    ),
    Row(
        "another class passes",
        (
            ("severity = 0\npass = true\n", "severity = 2\n"),
            ('place = "good_parts"', 'place = "bin"'),
            (STAIN_ROW, STAIN_ROW.replace('"bin"\nseverity = 1', '"good_parts"\nseverity = 0\npass = true')),
        ),
        "part_types.ring: ring-1 was trained to pass good, by [[classes]] stain passes",
        "model.wrong_classes",
    ),
    Row("missing bundle", (("ring-1", "ring-2"),), "ring-2", "model.missing"),
)


@pytest.fixture(autouse=True)
def _nothing_outside(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name in ("XDG_RUNTIME_DIR", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, environment[name])


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return make_recording(tmp_path / "recording", (Shown("FIRST", RING, "crack", 190),))


async def refusal(config: Path, recording: Path, folder: Path) -> StationError:
    """Why a station does not start; nothing has left the infeed, and nothing stands in the records."""
    truth = Truth()
    with pytest.raises(StationError) as refused:
        async with product_cell(config, recording, folder, truth=truth):
            pass
    assert {entry.event for entry in truth.entries} <= {Happening.FED}
    return refused.value


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
async def test_what_could_sort_wrongly_is_refused_at_the_start(
    row: Row, make_config: MakeConfig, recording: Path, tmp_path: Path
) -> None:
    error = await refusal(make_config(*product(RINGS, (RING,), tmp_path), *row.changes), recording, tmp_path)
    assert error.code == row.code
    assert row.words in error.detail
    assert not (tmp_path / "data" / "records.sqlite").exists()


async def test_a_network_of_another_geometry_is_refused_before_anything_moves(
    make_config: MakeConfig, recording: Path, tmp_path: Path
) -> None:
    other = ("patches_per_strip = 2\n", "patches_per_strip = 4\n")
    error = await refusal(make_config(*product(RINGS, (RING,), tmp_path), other), recording, tmp_path)
    assert error.code == "model.wrong_geometry"
    assert "part_types.ring: it has 4 patches a strip, the network 2 (bundle ring-1: " in error.detail
    assert not (tmp_path / "data" / "records.sqlite").exists()


async def test_records_of_a_newer_version_are_refused_and_left_as_they_are(
    make_config: MakeConfig, recording: Path, tmp_path: Path
) -> None:
    config, database = make_config(*product(RINGS, (RING,), tmp_path)), tmp_path / "data" / "records.sqlite"
    async with product_cell(config, recording, tmp_path) as cell:
        await cell.take_all(1)
    with closing(sqlite3.connect(database)) as newer:
        newer.execute("PRAGMA user_version = 99")
    before = database.read_bytes()
    error = await refusal(config, recording, tmp_path)
    assert error.code == "record.newer_schema"
    assert str(database) in error.detail
    assert database.read_bytes() == before


async def test_a_class_that_no_network_answers_is_told_and_the_cell_runs(
    make_config: MakeConfig, recording: Path, tmp_path: Path
) -> None:
    more = '[[classes]]\ncode = 41\nname = "rust"\nplace = "bin"\n\n'
    config = make_config(*product(RINGS, (RING,), tmp_path), (REVIEW, more + REVIEW))
    with structlog.testing.capture_logs() as log:
        async with product_cell(config, recording, tmp_path) as cell:
            await cell.take_all(1)
    assert [line["detail"] for line in log if line["event"] == "classes_not_answered"] == [
        "ring-1 does not answer rust: no part that it judges will be called so"
    ]
    assert cell.records()["FIRST"]["verdict"] == "crack"
