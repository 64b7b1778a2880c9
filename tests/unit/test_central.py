"""What is copied into the plant's database, as far as no database is needed: feed, book, room, settings, rows."""

import asyncio
import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from station.core.central_settings import CentralSettings, StoreSettings
from station.core.errors import FAULTS, PlantError, RecordError
from station.core.part import Roi
from station.core.ports.feed import BEGINNING, NO_EVENT, LastEvent
from station.core.records import LastTold
from station.labels.feed import count_labels, read_labels
from station.labels.label import InspectionSubject, Label, WholePart
from station.labels.sqlite import SqliteLabels
from station.plant.central.book import APART_S, BOOK, MOST_SAMPLES, Book, Page
from station.plant.central.room import room_of
from station.plant.central.rows import digest_of, inspection_row, label_digest, months_of, text_of
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


def test_events_go_on_behind_the_last_and_after_a_backup_behind_its_time(tmp_path: Path) -> None:
    asyncio.run(three_parts(tmp_path))
    feed = SqliteFeed(tmp_path)
    events = feed.events(NO_EVENT, 100)
    assert ("state_changed", "IDLE EXECUTE") in [(event["event"], event["detail"]) for event in events]
    last = events[-1]
    assert feed.events(LastEvent(last["number"], last["at"]), 100) == []
    assert feed.events(LastEvent(last["number"] + 7, last["at"]), 100) == [], "its number was given anew"
    assert feed.events(LastEvent(last["number"], "2026-04-30T00:00:00.000Z"), 100) == events
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
