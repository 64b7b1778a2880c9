"""What is copied into the plant's database, as far as no database is needed: feed, book, room, settings, rows."""

import asyncio
import hashlib
import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import obstore
import psycopg
import pytest
from obstore.store import MemoryStore
from psycopg import errors
from pydantic import ValidationError

from station.core.alarms import AlarmList
from station.core.central_settings import CentralSettings, StoreSettings
from station.core.errors import FAULTS, PlantError, Reaction, RecordError
from station.core.part import Roi
from station.core.ports.feed import BEGINNING, NO_ALARM, NO_EVENT, KeptScan, LastAlarm, LastEvent
from station.core.records import LastTold
from station.labels.feed import count_labels, read_labels
from station.labels.label import InspectionSubject, Label, WholePart
from station.labels.sqlite import SqliteLabels
from station.plant.central.book import APART_S, BOOK, MOST_SAMPLES, Book, Page
from station.plant.central.connection import connect
from station.plant.central.connection import told as database_told
from station.plant.central.room import room_of
from station.plant.central.rows import (
    SCAN_STATE,
    alarm_row,
    digest_of,
    inspection_row,
    label_digest,
    months_of,
    text_of,
)
from station.plant.central.scans import Copying, ScanStore
from station.plant.central.serving import Pace
from station.records.feed import SqliteFeed
from tests.many_records import told, write_many
from tests.plants import LEFT, RIGHT, TYPE, scan
from tests.record_samples import START, TABLE, blocks_of, decision, judgement, open_ledger, part

GB = 1_000_000_000


async def three_parts(folder: Path) -> list[str]:
    """The first sorted, the second in work, the third taken back."""
    ledger = await open_ledger(folder, archive=["pits"])
    ids = []
    for number in (1, 2, 3):
        inspection = await ledger.enter(part(f"A{number}", number), TYPE)
        ids.append(inspection.inspection_id)
        if number < 3:
            await ledger.judged(inspection, judgement(decision(), blocks_of(scan(number)), Roi(LEFT, RIGHT)))
        if number == 1:
            await ledger.sorted(inspection, TABLE.places[0])
        if number == 3:
            await ledger.withdrawn(inspection, FAULTS["part.interrupted"], "taken back")
    await ledger.note("state_changed", "IDLE EXECUTE")
    await ledger.close()
    return ids


def test_one_in_work_holds_up_those_behind_it_and_its_scan(tmp_path: Path) -> None:
    first, second, third = asyncio.run(three_parts(tmp_path))
    feed = SqliteFeed(tmp_path)
    (told_of,) = feed.closed(BEGINNING, 10)
    assert (told_of["inspection_id"], told_of["state"]) == (first, "sorted")
    assert not [name for name in told_of if name in {"scan_state", "scan_file", "scan_sha256", "scan_archive_detail"}]
    last = LastTold.of(told_of)
    assert feed.closed(last, 10) == []
    assert feed.waiting(BEGINNING) == (1, told_of["entered_at"])
    assert feed.waiting(last) == (0, None)
    assert [kept.told.inspection_id for kept in feed.scans(BEGINNING, 10)] == [first]
    assert feed.scans(last, 10) == []
    assert [one["inspection_id"] for one in feed.named([first, second, third, "nobody"])] == [first, third]


def test_the_feed_is_read_in_batches_from_where_it_was_left(tmp_path: Path) -> None:
    write_many(tmp_path, 50)
    feed, after, found = SqliteFeed(tmp_path), BEGINNING, []
    while records := feed.closed(after, 7):
        found += records
        after = LastTold.of(records[-1])
    assert [record["inspection_id"] for record in found] == [told(number, 50).inspection for number in range(1, 51)]
    assert feed.months() == {"2025-01": 50}
    with pytest.raises(RecordError, match="has no records"):
        SqliteFeed(tmp_path / "nowhere").closed(BEGINNING, 1)


def test_events_go_on_behind_the_last_and_after_a_backup_all_come_again(tmp_path: Path) -> None:
    asyncio.run(three_parts(tmp_path))
    feed = SqliteFeed(tmp_path)
    events = feed.events(NO_EVENT, 100)
    assert ("state_changed", "IDLE EXECUTE") in [(event["event"], event["detail"]) for event in events]
    last = events[-1]
    assert feed.events(LastEvent(last["number"], last["at"]), 100) == []
    assert feed.events(LastEvent(last["number"] + 7, last["at"]), 100) == events, "its number was given anew"
    assert feed.events(LastEvent(last["number"], "2026-04-30T00:00:00.000Z"), 100) == events
    assert (feed.reached_event(LastEvent(last["number"], last["at"])), feed.reached_event(NO_EVENT)) == (
        last["number"],
        0,
    )
    assert sum(feed.events_by_month().values()) == len(events)


def test_labels_come_in_their_order_each_once(tmp_path: Path) -> None:
    assert (read_labels(tmp_path, 0, 10), count_labels(tmp_path)) == ([], 0)
    labels = [Label(InspectionSubject("A"), WholePart(), name, "ada", START) for name in ("pits", "scratches")]
    SqliteLabels(tmp_path).add(labels)
    SqliteLabels(tmp_path).add(labels)
    rows = read_labels(tmp_path, 0, 10)
    assert [(number, row[6]) for number, row in rows] == [(1, "pits"), (2, "scratches")]
    assert read_labels(tmp_path, 1, 10) == rows[1:]
    assert count_labels(tmp_path) == 2
    assert label_digest(rows[0][1]) != label_digest(rows[1][1])


def test_a_record_is_the_same_text_however_its_names_are_ordered(tmp_path: Path) -> None:
    write_many(tmp_path, 1)
    (record,) = SqliteFeed(tmp_path).closed(BEGINNING, 1)
    text = text_of(record)
    assert text_of(dict(reversed(record.items()))) == text
    assert text.isascii()
    assert json.loads(text) == record
    row = inspection_row("left", {**record, "part_id": "A\x001"})
    assert row[4] == "A\ufffd1", "PostgreSQL's text holds no null"
    assert row[-1] == digest_of(str(row[-2]))
    assert months_of(["2026-05-31T23:59:59.999Z", "2026-05-01T00:00:00.000Z"]) == {"2026-05-01"}


def test_the_book_is_begun_once_and_kept(tmp_path: Path) -> None:
    book = Book(tmp_path)
    assert book.read() is None
    page = book.open()
    assert book.open() == page
    later = Page(
        page.station_id, LastTold(7, "X", "2026-05-01T06:00:00.000Z"), "now", "plant.refused", "why", ((1.0, 2),)
    )
    book.write(later)
    assert Book(tmp_path).open() == later


@pytest.mark.parametrize("rubbish", [b"", b"[]", b"{}", b'{"station_id": ""}', b'{"station_id": 1, "disk": []}'])
def test_a_book_that_is_none_is_refused(tmp_path: Path, rubbish: bytes) -> None:
    (tmp_path / BOOK).write_bytes(rubbish)
    with pytest.raises(PlantError) as refused:
        Book(tmp_path).open()
    assert refused.value.code == "plant.book_unusable"


def test_looks_at_the_disk_are_hours_apart_and_few() -> None:
    page = Page("one")
    for hour in range(100):
        page = page.looked(hour * APART_S, 1000 - hour).looked(hour * APART_S + 1, 0)
    assert len(page.disk) == MOST_SAMPLES
    assert page.disk[-1] == (99 * APART_S, 901)
    assert page.looked(0.0, 5).disk == ((0.0, 5),), "the clock was set back"


@pytest.mark.parametrize(
    ("free", "looks", "well", "words"),
    [
        (100 * GB, (), True, "100000 MB are free where the records lie"),
        (100 * GB, ((0.0, 90 * GB),), True, "100000 MB are free where the records lie"),
        (100 * GB, ((0.0, 124 * GB),), False,
         "100000 MB are free where the records lie; at 24000 MB a day there are less than records.low_mb in 4.1 days"),
        (100 * GB, ((0.0, 101 * GB),), True,
         "100000 MB are free where the records lie; at 1000 MB a day there are less than records.low_mb in 98.0 days"),
        (1 * GB, (), False,
         "1000 MB are free where the records lie, less than records.low_mb (2000 MB): make room"),
        (100 * GB, ((86_400.0 - 60, 101 * GB),), True, "100000 MB are free where the records lie"),
    ],
)  # fmt: skip
def test_a_disk_that_fills_is_told_a_week_before(
    free: int, looks: tuple[tuple[float, int], ...], words: str, *, well: bool
) -> None:
    room = room_of(free, 2 * GB, 86_400.0, looks)
    assert (str(room), room.is_well) == (words, well)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"host": "db", "password_file": "x"}, "in the clear"),
        ({"tls_ca": "x"}, "tls_ca is for tls"),
        ({"store": {"bucket": "any"}}, "key_file"),
        ({"store": {"endpoint": "http://store"}}, "in the clear"),
        ({"store": {"prefix": "/scans"}}, "prefix"),
    ],
)
def test_a_password_in_the_clear_and_half_a_store_are_refused(given: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        CentralSettings.model_validate(given)


def test_this_computer_needs_no_tls() -> None:
    for host in ("127.0.0.1", "localhost", "::1", "/run/postgresql"):
        assert CentralSettings(host=host, password_file="x").is_local  # noqa: S106  # a file's name
    assert not CentralSettings(host="10.0.0.1").is_local
    assert StoreSettings().bucket == ""


# ---------------------------------------------------------------------- connection


class Server:
    """A PostgreSQL that asks for the password in the clear, and a store that lets nobody list it; one answer each."""

    def __init__(self) -> None:
        self.heard = b""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        connection, _address = self._listening.accept()
        with connection:
            connection.recv(1024)  # asks for TLS
            connection.sendall(b"N")
            connection.recv(1024)  # says who it is
            connection.sendall(b"R\x00\x00\x00\x08\x00\x00\x00\x03")
            self.heard = connection.recv(1024)


def test_a_password_from_the_surroundings_goes_to_no_other_computer_in_the_clear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGPASSWORD", "secret")
    server = Server()
    try:
        with pytest.raises(PlantError) as refused:
            connect(CentralSettings(host="0.0.0.0", port=server.port))
    finally:
        server.close()
    assert (refused.value.code, server.heard) == ("plant.refused", b"")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.CheckViolation, "plant.not_taken"),
        (errors.NumericValueOutOfRange, "plant.not_taken"),
        (errors.DiskFull, "plant.database_full"),
        (errors.InsufficientPrivilege, "plant.refused"),
        (errors.UndefinedColumn, "plant.wrong_schema"),
        (errors.AdminShutdown, "plant.no_database"),
        (errors.DeadlockDetected, "plant.no_database"),
    ],
)
def test_what_the_database_says_has_a_code(error: type[psycopg.Error], code: str) -> None:
    with pytest.raises(PlantError, match="why it was") as met, database_told(CentralSettings()):
        raise error("why it was")
    assert met.value.code == code


def test_what_failed_is_tried_again_ever_more_seldom_and_not_by_all_cells_at_once() -> None:
    pace = Pace(retry_s=5.0, longest_retry_s=60.0)
    waited = [pace.pause_s(failures, "one") for failures in (1, 2, 3, 4, 5, 1000)]
    assert [round(pause / waited[0], 6) for pause in waited] == [1, 2, 4, 8, 12, 12]
    firsts = {pace.pause_s(1, f"cell {number}") for number in range(100)}
    assert len(firsts) > 50
    assert all(3.75 <= first <= 6.25 for first in firsts)


# ---------------------------------------------------------------------- scans


class Store(BaseHTTPRequestHandler):
    """A store that says of nothing that it is not there, as Amazon's to who may not list it."""

    kept: ClassVar[dict[str, bytes]] = {}

    def do_PUT(self) -> None:
        self.kept[self.path] = self.rfile.read(int(self.headers["content-length"]))
        self._answer(200, b"", ("etag", '"one"'))

    def do_GET(self) -> None:
        content = self.kept.get(self.path)
        self._answer(403 if content is None else 200, content or b"<Code>AccessDenied</Code>")

    def do_HEAD(self) -> None:
        self._answer(403, b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Say nothing."""

    def _answer(self, status: int, content: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        stamped = ("last-modified", "Fri, 01 May 2026 06:00:00 GMT")
        for name, value in (*headers, stamped, ("content-length", str(len(content)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture(scope="module")
def stores() -> None:
    """What the store's client works with, which stays for as long as the process does."""
    obstore.put(MemoryStore(), "first", b"")


@pytest.fixture
def store(stores: None, tmp_path: Path) -> Iterator[ScanStore]:
    Store.kept.clear()
    (tmp_path / "key").write_text("id\nsecret\n", encoding="ascii")
    with ThreadingHTTPServer(("127.0.0.1", 0), Store) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        key = str(tmp_path / "key")
        yield ScanStore(StoreSettings(bucket="scans", endpoint=address, allow_http=True, key_file=key))
        server.shutdown()
        thread.join()


def kept_scan(folder: Path, number: int, content: bytes, state: str = "archived") -> KeptScan:
    file = Path("archive") / "2026" / f"{number}.png"
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_bytes(content)
    told = LastTold(number, f"inspection {number}", "2026-05-01T06:00:00.000Z")
    return KeptScan(told, "pits", state, str(file), hashlib.sha256(content).hexdigest(), 0)


def states(copying: Copying, *scans: KeptScan) -> list[object]:
    return [row[SCAN_STATE] for _scan, row in copying.copy(scans, lambda: True)]


def test_a_store_that_tells_nobody_what_is_not_there_gets_its_scans(store: ScanStore, tmp_path: Path) -> None:
    scan = kept_scan(tmp_path, 1, b"one")
    assert store.digest(store.key_of(scan)) is None
    assert states(Copying(store, "left", tmp_path), scan) == ["stored"]
    assert store.digest(store.key_of(scan)) == scan.sha256
    assert states(Copying(store, "left", tmp_path), scan) == ["stored"]
    assert len(Store.kept) == 1


def test_a_scan_that_is_not_there_is_looked_for_once_more_before_it_is_given_up(
    store: ScanStore, tmp_path: Path
) -> None:
    first, second = kept_scan(tmp_path, 1, b"one"), kept_scan(tmp_path, 2, b"two")
    (tmp_path / first.file).unlink()
    copying = Copying(store, "left", tmp_path)
    assert states(copying, first, second) == []
    assert copying.doubts
    assert states(copying, replace(first, state="expired"), second) == ["expired", "stored"]
    assert not copying.doubts
    assert (states(copying, first), states(copying, first)) == ([], ["missing"])


def test_an_archive_that_is_away_holds_up_its_scans(store: ScanStore, tmp_path: Path) -> None:
    scan = kept_scan(tmp_path, 1, b"one")
    (tmp_path / "archive").rename(tmp_path / "away")
    copying = Copying(store, "left", tmp_path)
    for _look in range(2):
        with pytest.raises(RecordError) as away:
            states(copying, scan)
        assert away.value.code == "record.disk_failed"
    (tmp_path / "away").rename(tmp_path / "archive")
    assert states(copying, scan) == ["stored"]


def test_a_file_that_cannot_be_opened_holds_up_its_scans_too(store: ScanStore, tmp_path: Path) -> None:
    scan = kept_scan(tmp_path, 1, b"one")
    (tmp_path / scan.file).unlink()
    (tmp_path / scan.file).mkdir()
    with pytest.raises(RecordError, match=r"1\.png"):
        states(Copying(store, "left", tmp_path), scan)


def test_who_is_to_end_copies_no_other_scan(store: ScanStore, tmp_path: Path) -> None:
    scans = [kept_scan(tmp_path, number, b"%d" % number) for number in (1, 2, 3)]
    going = iter([True, True, False])
    copied = list(Copying(store, "left", tmp_path).copy(scans, lambda: next(going)))
    assert [scan.told.number for scan, _row in copied] == [1, 2]


# ---------------------------------------------------------------------- alarms


async def an_alarm(folder: Path) -> None:
    """One that was raised, raised again, seen and is over, and one that stands."""
    alarms, ledger = AlarmList(), await open_ledger(folder)
    for code in ("camera.lost", "camera.lost", "jig.fault"):
        await ledger.keep_alarm(alarms.raise_(FAULTS[code], Reaction.HOLD, "why", START))
    await ledger.keep_alarm(alarms.acknowledge("camera.lost", START, "ada"))
    for alarm in alarms.clear(START):
        await ledger.keep_alarm(alarm)
    await ledger.close()


def test_alarms_come_in_their_order_as_they_stand(tmp_path: Path) -> None:
    asyncio.run(an_alarm(tmp_path))
    feed = SqliteFeed(tmp_path)
    first, second = feed.alarms(NO_ALARM, 10)
    assert (first["code"], first["count"], first["latched"], first["acknowledged_by"]) == (
        "camera.lost",
        2,
        True,
        "ada",
    )
    assert (second["code"], second["cleared_at"], second["acknowledged_at"]) == (
        "jig.fault", "2026-05-01T06:00:00.123Z", None,
    )  # fmt: skip
    last = LastAlarm(first["number"], first["raised_at"])
    assert feed.alarms(last, 10) == [second]
    assert feed.alarms(last._replace(raised_at="2026-04-01T00:00:00.000Z"), 10) == [first, second]
    assert feed.alarms_numbered([second["number"], 99]) == [second]
    assert alarm_row("left", first)[:4] == ("left", first["number"], first["raised_at"], "camera.lost")
    assert (feed.reached_alarm(last), feed.reached_alarm(NO_ALARM)) == (first["number"], 0)
