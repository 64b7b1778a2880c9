"""A backup holds who may use the page, also while it runs; to restore it signs all out and keeps what was there."""

import stat
from pathlib import Path

import pytest

from station.core.clock import SystemClock
from station.core.errors import PageError
from station.offline.upkeep.backup import Piece
from station.offline.upkeep.backup.contents import open_backup
from station.offline.upkeep.backup.page import PAGE
from station.page.audit import Audit
from station.page.database import DATABASE, PageDatabase
from station.page.passwords import Passwords
from station.page.people import People
from station.page.roles import Role
from station.page.tokens import Tokens
from tests.labelling import Station
from tests.page_bench import HAND, PASSWORD, QUICK, page_settings, paged
from tests.unit.test_backup_labels import command, done, made


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Station:
    return Station.at(tmp_path_factory.mktemp("records") / "data")


@pytest.fixture
def data(inspected: Station, tmp_path: Path) -> Path:
    return inspected.copied(tmp_path / "data").folder


class Opened:
    """The page's database of a folder."""

    def __init__(self, folder: Path) -> None:
        database = PageDatabase(folder)
        database.make()
        self.audit = Audit(database, SystemClock())
        self.people = People(database, self.audit, Passwords(QUICK), SystemClock())
        self.tokens = Tokens(database, self.audit, SystemClock())


def restored(backup: Path, data: Path) -> str:
    return done("restore", backup, "--only", "page", "--data", data, "--models", data / "models")


def test_it_is_the_pages_file() -> None:
    assert PAGE == DATABASE


async def test_a_running_page_is_saved_and_restored_under_it_and_everybody_signs_in_again(data: Path) -> None:
    async with paged(data, configuration=page_settings()) as bench:
        ada = bench.admit(Role.ADMIN, "Ada")
        tokens, people = bench.served.desk.doors.tokens, bench.served.desk.doors.people
        token = tokens.make("MES", Role.QUALITY, 30, HAND)
        async with bench.browser(ada) as browser:
            backup = made(data)
            assert Piece.PAGE in open_backup(backup).pieces
            assert stat.S_IMODE((backup / PAGE).stat().st_mode) == 0o600
            people.add("Eve", Role.ADMIN, PASSWORD, HAND)
            assert (await browser.get("/session")).status_code == 204
            assert "what lay there is in" in restored(backup, data)
            assert [one.name for one in people.everybody()] == ["Ada"]
            assert (await browser.get("/session")).status_code == 401, "a session of the backup is over"
            assert tokens.of(token) is None
            answer = await browser.post("/sign-in", data={"name": "Ada", "password": PASSWORD})
            assert answer.headers["location"] == "/"
        audit = bench.served.desk.doors.audit
        assert [row.what for row in audit.rows(2)] == ["signed_in", "restored"]
        audit.verify()
    assert_kept(data, "Ada", "Eve")


def assert_kept(data: Path, *names: str) -> None:
    (aside,) = data.glob("before-restore-*")
    assert [one.name for one in Opened(aside).people.everybody()] == list(names)
    assert not list(data.glob(f".{PAGE}*"))


def test_it_is_restored_where_there_is_none_and_where_it_is_damaged(data: Path, tmp_path: Path) -> None:
    Opened(data).people.add("Ada", Role.ADMIN, PASSWORD, HAND)
    backup = made(data)
    rehearsal = tmp_path / "rehearsal"
    done("restore", backup, "--data", rehearsal)
    assert stat.S_IMODE((rehearsal / PAGE).stat().st_mode) == 0o600
    assert Opened(rehearsal).people.prove("Ada", PASSWORD) is not None
    (data / PAGE).write_bytes(b"no database" * 1000)
    restored(backup, data)
    assert Opened(data).people.prove("Ada", PASSWORD) is not None
    (aside,) = data.glob("before-restore-*")
    assert (aside / PAGE).read_bytes() == b"no database" * 1000


def test_no_backup_is_made_of_a_damaged_one(data: Path) -> None:
    Opened(data)
    (data / PAGE).write_bytes(b"no database" * 1000)
    error = command("make", data.with_name("backups"), "--data", data).exception
    assert isinstance(error, PageError)
    assert error.code == "page.database_damaged"
    assert list(data.with_name("backups").iterdir()) == []
