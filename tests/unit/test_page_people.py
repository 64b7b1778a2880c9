"""The page's own database: people, passwords, attempts, and a trail that nobody changes unseen."""

import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from station.cli.app import app
from station.core.clock import SystemClock
from station.core.errors import ConfigError, PageError
from station.page.attempts import KEYS, MOST, WINDOW_S, Attempts
from station.page.audit import Audit, Deed, Link
from station.page.database import DATABASE, PageDatabase
from station.page.invitation import Invitation
from station.page.passwords import Passwords, weakness
from station.page.people import People
from station.page.roles import Role
from station.page.schema import VERSIONS
from tests.page_bench import HAND, PASSWORD, QUICK


@pytest.fixture
def database(tmp_path: Path) -> PageDatabase:
    made = PageDatabase(tmp_path)
    made.make()
    return made


@pytest.fixture
def audit(database: PageDatabase) -> Audit:
    return Audit(database, SystemClock())


@pytest.fixture
def people(database: PageDatabase, audit: Audit) -> People:
    return People(database, audit, Passwords(QUICK), SystemClock())


def code_of(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(PageError) as caught:
        call()
    return caught.value.code, caught.value.detail


# ---------------------------------------------------------------------- passwords


@pytest.mark.parametrize(
    "password",
    ["", " ", "short", "x" * 11, "aaaaaaaaaaaaaaaa", "abababababab", "passwordpassword", "Password1234567", "x" * 129,
     "station-inspection", "ada lovelace 1815", "administrator"],
)  # fmt: skip
def test_a_weak_password_is_not_taken(password: str) -> None:
    assert weakness(password, "Ada") is not None


@pytest.mark.parametrize("password", [PASSWORD, "Grüße aus Köln", "비밀번호는길어야한다니까요", "y7-QQa!0zk_pw"])
def test_a_password_of_its_own_is_taken(password: str) -> None:
    assert weakness(password, "Ada") is None


def test_what_is_kept_is_an_argon2id_hash_with_a_salt_of_its_own() -> None:
    passwords = Passwords()
    first, second = passwords.hashed(PASSWORD), passwords.hashed(PASSWORD)
    assert first != second
    assert first.startswith("$argon2id$")
    memory_kib = int(first.split("m=")[1].split(",")[0])
    assert memory_kib >= 19 * 1024, "OWASP's least for argon2id"
    assert passwords.prove(PASSWORD, first)
    assert not passwords.prove(PASSWORD.upper(), first)
    assert not passwords.prove("of nobody", None)
    assert not passwords.prove(PASSWORD, "no hash at all")


# ---------------------------------------------------------------------- people


def test_only_the_first_is_let_in_without_an_admin(people: People) -> None:
    assert people.there_are_none()
    people.add_first("Ada", PASSWORD, "127.0.0.1")
    assert not people.there_are_none()
    assert code_of(lambda: people.add_first("Eve", PASSWORD, "127.0.0.1"))[0] == "page.refused"
    assert [one.name for one in people.everybody()] == ["Ada"]


def test_of_two_who_come_first_at_once_one_is_let_in(people: People) -> None:
    refused: list[str] = []

    def come(name: str) -> None:
        try:
            people.add_first(name, PASSWORD, "127.0.0.1")
        except PageError as error:
            refused.append(error.code)

    threads = [threading.Thread(target=come, args=(f"Person {number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(people.everybody()), refused) == (1, ["page.refused"] * 5)


@pytest.mark.parametrize("name", ["", " ", " Ada", "Ada ", "a\nb", "<b>", "x" * 41, "_", "-a"])
def test_what_is_no_name_is_refused(people: People, name: str) -> None:
    assert code_of(lambda: people.add(name, Role.OPERATOR, PASSWORD, HAND))[0] == "page.refused"


@pytest.mark.parametrize("name", ["Ada", "Ö", "김민수", "J. O'Neill-Smith", "x" * 40])
def test_people_have_names_of_any_script(people: People, name: str) -> None:
    people.add(name, Role.QUALITY, PASSWORD, HAND)
    proven = people.prove(name, PASSWORD)
    assert proven is not None
    assert (proven.name, proven.role) == (name, Role.QUALITY)
    assert people.prove(name, PASSWORD + "x") is None
    assert code_of(lambda: people.add(name, Role.ADMIN, PASSWORD, HAND))[0] == "page.refused"


def test_the_database_keeps_people(people: People, database: PageDatabase) -> None:
    people.add("Ada", Role.ADMIN, PASSWORD, HAND)
    for statement in ("DELETE FROM people", "INSERT INTO people VALUES ('Eve', 'admin', 'plain', 1, 'now')"):
        with pytest.raises(Exception, match=r"kept|CHECK"), database.writing() as connection:
            connection.execute(statement)
    assert [one.name for one in people.everybody()] == ["Ada"]


# ---------------------------------------------------------------------- attempts


def test_failures_are_forgotten_in_time_and_few_are_borne() -> None:
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    for _ in range(MOST["both"]):
        assert attempts.wait_s("Ada", "here") == 0
        attempts.begin("Ada", "here")
        now[0] += 1
    assert attempts.wait_s("ADA", "here") == WINDOW_S - MOST["both"]
    assert attempts.wait_s("Ada", "there") == attempts.wait_s("Bob", "here") == 0
    now[0] += WINDOW_S
    assert attempts.wait_s("Ada", "here") == 0


def test_who_succeeds_is_not_counted_and_who_is_not_done_yet_is() -> None:
    attempts = Attempts(lambda: 0.0)
    for _ in range(3 * MOST["both"]):
        attempts.begin("Ada", "here")
        attempts.succeed("Ada", "here")
    for _ in range(MOST["both"]):
        assert attempts.wait_s("Ada", "here") == 0
        attempts.begin("Ada", "here")
    assert attempts.wait_s("Ada", "here") > 0


def test_one_address_cannot_try_all_names_nor_all_addresses_one() -> None:
    attempts = Attempts(lambda: 0.0)
    for number in range(MOST["address"]):
        attempts.begin(f"name {number}", "here")
    assert attempts.wait_s("Ada", "here") > 0
    for number in range(MOST["name"]):
        attempts.begin("Ada", f"address {number}")
    assert attempts.wait_s("Ada", "there") > 0
    assert attempts.wait_s("Bob", "there") == 0


def test_what_is_remembered_of_attempts_is_bounded() -> None:
    attempts = Attempts(lambda: 0.0)
    for number in range(KEYS):
        attempts.begin(f"name {number}", f"address {number}")
    assert len(attempts._failed) == KEYS


# ---------------------------------------------------------------------- the code


def test_the_code_is_long_and_another_each_time() -> None:
    first, second = Invitation(), Invitation()
    assert first.code != second.code
    assert len(first.code.replace("-", "")) * 5 >= 80, "bits"
    assert first.fits(f" {first.code.lower()} ")
    assert not first.fits(second.code)
    assert not first.fits("")


# ---------------------------------------------------------------------- the trail


def write_some(audit: Audit, count: int = 5) -> None:
    for number in range(count):
        audit.write(Deed("Ada", "127.0.0.1", "labelled", f"part {number}"))


def test_a_whole_trail_is_verified_and_what_was_kept_of_it_too(audit: Audit) -> None:
    assert audit.verify() is None
    write_some(audit)
    newest, *_, oldest = audit.rows(10)
    assert (newest.number, oldest.number, oldest.detail) == (5, 1, "part 0")
    last = audit.verify([Link(3, audit.rows(3)[-1].hash), Link(5, newest.hash)])
    assert last == newest


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET who = 'Eve' WHERE number = 2",
        "DELETE FROM audit WHERE number = 5",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit SELECT 5, at, 'Eve', address, what, detail, previous, hash FROM audit",
        "INSERT INTO audit SELECT 9, at, who, address, what, detail, hash, hash FROM audit WHERE number = 5",
        "INSERT INTO audit SELECT 6, at, who, address, what, detail, previous, hash FROM audit WHERE number = 5",
    ],
)  # fmt: skip
def test_the_database_itself_refuses_to_change_the_trail(audit: Audit, database: PageDatabase, statement: str) -> None:
    write_some(audit)
    before = audit.rows(10)
    with pytest.raises(Exception, match="the audit trail"), database.writing() as connection:
        connection.execute(statement)
    assert audit.rows(10) == before


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE audit SET who = 'Eve' WHERE number = 2", "row 2"),
        ("UPDATE audit SET at = '2026-01-01T00:00:00.000Z' WHERE number = 4", "row 4"),
        ("DELETE FROM audit WHERE number = 3", "row 3 is gone"),
        ("DELETE FROM audit WHERE number = 1", "row 1 is gone"),
    ],
)
def test_who_goes_round_the_database_is_found_out(audit: Audit, tmp_path: Path, statement: str, told: str) -> None:
    write_some(audit)
    tamper(tmp_path, statement)
    code, detail = code_of(audit.verify)
    assert code == "page.audit_broken"
    assert told in detail


def test_an_end_that_is_cut_off_and_a_trail_written_anew_are_found_out_by_what_was_kept(
    audit: Audit, tmp_path: Path
) -> None:
    write_some(audit)
    kept = Link(5, audit.rows(1)[0].hash)
    tamper(tmp_path, "DELETE FROM audit WHERE number = 5")
    audit.verify()
    assert "row 5" in code_of(lambda: audit.verify([kept]))[1]
    audit.write(Deed("Eve", "127.0.0.1", "labelled", "another"))
    audit.verify()
    assert "row 5" in code_of(lambda: audit.verify([kept]))[1]


def tamper(folder: Path, statement: str) -> None:
    """Change the file as only its owner could, past the triggers."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        for name in ("audit_holds", "audit_stays", "audit_is_a_chain"):
            connection.execute(f"DROP TRIGGER IF EXISTS {name}")
        connection.execute(statement)
        connection.commit()
        connection.execute(
            "CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'it is kept'); END"
        )


def test_what_fails_leaves_no_trace_that_it_was_done(people: People, audit: Audit, database: PageDatabase) -> None:
    people.add("Ada", Role.ADMIN, PASSWORD, HAND)
    written = audit.rows(10)
    code_of(lambda: people.change("Ada", Role.OPERATOR, HAND, active=True))
    assert people.everybody()[0].role is Role.ADMIN
    assert audit.rows(10) == written


def test_the_command_verifies_the_trail_of_a_data_folder(audit: Audit, tmp_path: Path) -> None:
    run = CliRunner()
    assert "empty" in run.invoke(app, ["audit", "verify", "--data", str(tmp_path)]).output
    write_some(audit)
    told = run.invoke(app, ["audit", "verify", "--data", str(tmp_path)]).output
    kept = f"5:{audit.rows(1)[0].hash}"
    assert kept in told
    assert run.invoke(app, ["audit", "verify", "--data", str(tmp_path), "--kept", kept]).exit_code == 0
    tamper(tmp_path, "UPDATE audit SET detail = 'part 7' WHERE number = 1")
    broken = run.invoke(app, ["audit", "verify", "--data", str(tmp_path)]).exception
    assert isinstance(broken, PageError)
    assert broken.code == "page.audit_broken"
    wrong = run.invoke(app, ["audit", "verify", "--data", str(tmp_path), "--kept", "five"]).exception
    assert isinstance(wrong, ConfigError)


# ---------------------------------------------------------------------- the file


def test_the_file_is_its_owners_alone_and_made_once(tmp_path: Path, people: People) -> None:
    people.add("Ada", Role.ADMIN, PASSWORD, HAND)
    PageDatabase(tmp_path).make()
    assert [one.name for one in people.everybody()] == ["Ada"]
    for path in tmp_path.glob(f"{DATABASE}*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_another_programs_file_a_newer_one_and_a_broken_one_are_refused(tmp_path: Path) -> None:
    path = tmp_path / DATABASE
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 7")
        connection.execute("CREATE TABLE other (x)")
    assert code_of(PageDatabase(tmp_path).make)[0] == "page.database_damaged"
    path.unlink()
    PageDatabase(tmp_path).make()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(VERSIONS) + 1}")
    assert code_of(PageDatabase(tmp_path).make)[0] == "page.newer_schema"
    path.write_bytes(b"nothing that SQLite knows" * 100)
    assert code_of(PageDatabase(tmp_path).make)[0] == "page.database_damaged"
    with pytest.raises(PageError) as caught, PageDatabase(tmp_path / "nowhere").reading():
        pass
    assert caught.value.code == "page.disk_failed"
