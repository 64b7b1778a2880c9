"""What the ledger keeps: exactly, once, across restarts, and whatever becomes of the caller."""

import asyncio
import csv
import io
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from station.core.errors import FAULTS, BugError, RecordError
from station.core.judgement import Defect
from station.core.light import Light
from station.core.novelty.conformal import Novelty
from station.core.part import Inspection, Order, Receipt
from station.core.records import RecordFilter
from station.core.settings import RecordSettings
from station.core.timeline import Delivery, SettleTimes
from station.core.verdicts import Place
from station.records import writer
from station.records.ledger import WRITE_DEADLINE_S, SqliteLedger
from station.records.query import export_records, show_record
from tests.housings import Destination, Verdict
from tests.record_samples import (
    CONFIGURATION,
    INTERRUPTED,
    JUDGED_BY,
    MODEL,
    PART_TYPE,
    TABLE,
    HandClock,
    account,
    decision,
    judgement,
    open_ledger,
    part,
    scores,
)
from tests.thread_jobs import Hang
from tests.virtual_time import in_virtual_time

LOW = FAULTS["part.low_confidence"]
FOUND = Defect("scratches", 3, 0.875, 359.5, 0.0, 1.25, 0.5)
THREE = np.random.default_rng(7).dirichlet(np.ones(3), 16).astype(np.float32)
OTHER_ORDER = ("scratches", "defect_free", "pits")


def rows(folder: Path, question: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "records.sqlite")) as connection:
        return connection.execute(question).fetchall()


async def judged(ledger: SqliteLedger, verdict: Verdict = Verdict.PITS) -> Inspection:
    inspection = await ledger.enter(part(), PART_TYPE)
    await ledger.judged(inspection, judgement(decision(verdict)))
    return inspection


async def test_a_record_holds_everything_exactly(tmp_path: Path) -> None:
    clock = HandClock()
    ledger = await open_ledger(tmp_path, clock)
    inspection = await ledger.enter(part("SMH-0042", 9), PART_TYPE)
    order = await ledger.order("robot", "load", 0, inspection)
    clock.advance(milliseconds=1500)
    await ledger.receipt(Receipt(order, 0, 1_250_000_000, 2_500_000_000))
    probabilities = scores(3)
    await ledger.judged(inspection, judgement(decision(Verdict.PITS, probabilities=probabilities)))
    unload = await ledger.order("robot", "unload", 3, inspection)
    clock.advance(milliseconds=500)
    await ledger.receipt(Receipt(unload, 3, 2_600_000_000, 3_000_000_000))
    await ledger.sorted(inspection, Destination.BIN_PITS, SettleTimes(Delivery(18, 19), 20))
    await ledger.close()

    shown = show_record(tmp_path, inspection.inspection_id)
    assert np.array_equal(np.array(shown["probabilities"], np.float32), probabilities)
    told = {name: shown[name] for name in ("part_id", "part_type", "part_sequence", "state", "number", "confidence")}
    assert told == {
        "part_id": "SMH-0042",
        "part_type": "SMH-385",
        "part_sequence": 9,
        "state": "sorted",
        "number": 1,
        "confidence": 0.75,
    }
    assert (shown["verdict"], shown["algorithm1"], shown["reason"]) == ("pits", "pits", None)
    assert (shown["destination"], shown["confirmed_bin"], shown["scan_valid"]) == ("bin_pits", "bin_pits", True)
    assert (shown["deciding_patch"], shown["defect_patches"], shown["ms_after_last_line"]) == (5, 3, 12.25)
    assert (shown["entered_at"], shown["judged_at"]) == ("2026-05-01T06:00:00.123Z", "2026-05-01T06:00:01.623Z")
    assert shown["sorted_at"] == "2026-05-01T06:00:02.123Z"
    assert (shown["model"], shown["model_sha256"]) == (MODEL.name, MODEL.sha256)
    assert shown["config_sha256"] == CONFIGURATION[0]
    assert shown["configuration"] == {"station": {"name": "line 1"}}
    assert shown["part_type_settings"]["outer_diameter_mm"] == 21.5
    assert shown["roi"] == {"left": 1000, "right": 1385}
    assert shown["lines"]["frame_ids"] == [0, 1, 2, 3, 4, 5, 6, 7]
    assert shown["features"]["ExposureTime"] == 40.5
    assert shown["features"]["ReverseX"] is False
    assert shown["times_ns"] == {
        "armed": 5,
        "decided": 17,
        "plc_sent": 18,
        "plc_acknowledged": 19,
        "committed": 20,
        "robot_ordered": 2_500_000_000,
        "robot_done": 3_000_000_000,
    }
    assert shown["orders"] == [
        {
            "device": "robot",
            "number": 1,
            "verb": "load",
            "argument": 0,
            "issued_at": "2026-05-01T06:00:00.123Z",
            "acknowledged_at": "2026-05-01T06:00:00.373Z",
            "done_at": "2026-05-01T06:00:01.623Z",
            "confirmed": None,
            "result": "done",
        },
        {
            "device": "robot",
            "number": 2,
            "verb": "unload",
            "argument": 3,
            "issued_at": "2026-05-01T06:00:01.623Z",
            "acknowledged_at": "2026-05-01T06:00:01.723Z",
            "done_at": "2026-05-01T06:00:02.123Z",
            "confirmed": "bin_pits",
            "result": "done",
        },
    ]


async def test_an_interruption_makes_it_review_and_leaves_the_judgement(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    inspection = await judged(ledger, Verdict.DEFECT_FREE)
    await ledger.interrupted(inspection, INTERRUPTED, "left on the jig")
    await ledger.sorted(inspection, Destination.BIN_REVIEW)
    await ledger.close()
    shown = show_record(tmp_path, inspection.inspection_id)
    assert (shown["verdict"], shown["reason"], shown["detail"]) == ("review", "part.interrupted", "left on the jig")
    assert (shown["destination"], shown["confirmed_bin"]) == ("bin_review", "bin_review")
    assert shown["judgement"] == {"verdict": "defect_free", "reason": None, "detail": "as measured"}
    assert (shown["algorithm1"], len(shown["probabilities"])) == ("pits", 16)


async def test_an_interruption_before_the_judgement_is_review_without_scores(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    inspection = await ledger.enter(part(), PART_TYPE)
    await ledger.interrupted(inspection, INTERRUPTED, "power failed")
    await ledger.close()
    shown = show_record(tmp_path, inspection.inspection_id)
    assert (shown["state"], shown["verdict"], shown["destination"]) == ("judged", "review", "bin_review")
    assert (shown["judgement"], shown["probabilities"], shown["scan_valid"]) == (None, [], False)
    assert shown["judged_at"] is None
    assert shown["interrupted_at"] is not None


async def test_a_lost_part_is_never_recorded_as_passed(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    inspection = await judged(ledger, Verdict.DEFECT_FREE)
    await ledger.lost(inspection, FAULTS["robot.part_lost"], "gripper open")
    await ledger.close()
    shown = show_record(tmp_path, inspection.inspection_id)
    assert (shown["state"], shown["verdict"], shown["reason"]) == ("lost", "review", "robot.part_lost")
    assert (shown["destination"], shown["confirmed_bin"]) == ("second_inspection", None)


async def test_a_withdrawn_part_has_a_reason_and_neither_verdict_nor_place(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    inspection = await ledger.enter(part(), PART_TYPE)
    await ledger.order("robot", "load", 0, inspection)
    await ledger.withdrawn(inspection, FAULTS["part.withdrawn"], "announced is nothing")
    await ledger.close()
    shown = show_record(tmp_path, inspection.inspection_id)
    assert (shown["state"], shown["verdict"], shown["reason"]) == ("withdrawn", None, "part.withdrawn")
    assert (shown["detail"], shown["destination"], shown["confirmed_bin"]) == ("announced is nothing", None, None)
    assert shown["withdrawn_at"] is not None


async def test_the_guards_reason_and_an_invalid_scan_are_told(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    inspection = await ledger.enter(part(), PART_TYPE)
    lines = account(FAULTS["scan.incomplete"])
    await ledger.judged(inspection, judgement(decision(Verdict.REVIEW, LOW), roi=None, lines=lines))
    await ledger.close()
    shown = show_record(tmp_path, inspection.inspection_id)
    assert (shown["verdict"], shown["reason"], shown["algorithm1"]) == ("review", "part.low_confidence", "pits")
    assert (shown["scan_valid"], shown["lines"]["fault"], shown["roi"]) == (False, "scan.incomplete", None)


async def test_a_place_that_does_not_exist_is_told_as_its_number(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    inspection = await judged(ledger)
    await ledger.receipt(Receipt(await ledger.order("robot", "unload", 3, inspection), 9, 1, 2))
    await ledger.close()
    assert show_record(tmp_path, inspection.inspection_id)["orders"][0]["confirmed"] == 9


async def test_numbers_and_open_inspections_outlive_a_restart(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    first = await ledger.enter(part("A"), PART_TYPE)
    await ledger.order("jig", "spin", 1066, first)
    await ledger.close()
    ledger = await open_ledger(tmp_path)
    assert list(await ledger.open_inspections()) == [first]
    assert (await ledger.enter(part("B"), PART_TYPE)).number == 2
    assert await ledger.order("jig", "stop", 0, None) == Order("jig", 2, "stop", 0)
    await ledger.receipt(Receipt(Order("jig", 1, "spin", 1066), 0, 5, 6))  # told late
    await ledger.close()


async def test_a_receipt_ends_the_newest_order_of_its_number(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    await ledger.order("jig", "spin", 1, None)
    for last in (20_000, 40_000, 65_535):
        await ledger.adopt_order_number("jig", last)
    again = await ledger.order("jig", "stop", 0, None)
    await ledger.receipt(Receipt(again, 0, 5, 6))
    await ledger.close()
    assert rows(tmp_path, "SELECT number, verb, result FROM orders") == [(1, "spin", None), (1, "stop", "done")]


async def test_events_are_kept_with_their_moment(tmp_path: Path) -> None:
    clock = HandClock()
    ledger = await open_ledger(tmp_path, clock)
    await ledger.note("state_changed", "execute to held: camera.lost")
    clock.advance(seconds=61)
    await ledger.note("state_changed", "held to unholding")
    await ledger.close()
    assert rows(tmp_path, "SELECT at, event, detail FROM events") == [
        ("2026-05-01T06:00:00.123Z", "state_changed", "execute to held: camera.lost"),
        ("2026-05-01T06:01:01.123Z", "state_changed", "held to unholding"),
    ]


async def test_a_configuration_is_kept_once(tmp_path: Path) -> None:
    for _ in range(2):
        await (await open_ledger(tmp_path)).close()
    assert rows(tmp_path, "SELECT sha256, settings FROM configurations") == [CONFIGURATION]


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE inspections SET state = 'open', verdict = NULL",
        "UPDATE inspections SET verdict = 'defect_free'",
        "UPDATE inspections SET state = 'sorted'",
        "UPDATE inspections SET inspection_id = 'other'",
        "UPDATE judgements SET confidence = 1",
        "DELETE FROM inspections",
        "DELETE FROM judgements",
        "DELETE FROM orders",
        "INSERT INTO judgements SELECT * FROM judgements",
        "UPDATE defects SET class = 'scratches'",
        "DELETE FROM defects",
        "INSERT INTO defects VALUES (1, 2, 'pits', 0, 1.0, NULL, NULL, NULL, NULL)",
        "INSERT OR REPLACE INTO defects VALUES (1, 1, 'scratches', 0, 1.0, NULL, NULL, NULL, NULL)",
        "INSERT INTO defects VALUES (2, 1, 'pits', 0, 1.0, NULL, NULL, NULL, NULL)",
    ],
)
async def test_the_database_itself_refuses_to_rewrite_history(tmp_path: Path, tampering: str) -> None:
    ledger = await open_ledger(tmp_path)
    inspection = await ledger.enter(part(), PART_TYPE)
    await ledger.judged(inspection, replace(judgement(), defects=(FOUND,)))
    await ledger.interrupted(await ledger.enter(part(), PART_TYPE), INTERRUPTED, "never judged")
    await ledger.order("jig", "stop", 0, inspection)
    with pytest.raises(sqlite3.IntegrityError):
        rows(tmp_path, tampering)
    await ledger.close()


@pytest.mark.parametrize(
    "impossible",
    [
        {"verdict": ""},
        {"algorithm1": ""},
        {"deciding_patch": -1},
        {"deciding_patch": b"\x05\x00\x00\x00\x00\x00\x00\x00"},  # what a number of numpy would become
        {"probabilities": "a text of 36 characters, which is no floats"[:36]},
        {"classes": '["a", "b", "c", "d", "e"]'},
        {"classes": "[]"},
        {"classes": "{}"},
        {"classes": "a, b, c"},
        {"recipe": "SMH-385"},  # without its hash
        {"recipe_sha256": "ab"},
        {"recipe": "", "recipe_sha256": "ab"},
        {"rule": ""},
        {"rule": None},
        {"defects": -1},
        {"defects": "many"},
        {"light_level": -1.0},
        {"light_gain": 0.0},
        {"light_gains": "{}"},
        {"light_gains": "[1.0"},
        {"novelty_patch": -1},
        {"novelty_patch": "the first"},
        {"novelty_p": 1.5},
        {"novelty_alpha": -0.5},
        {"calibration_sha256": ""},
        {"spot_lot": 1.0, "spot_one_in": 20, "spot_seed": 1},
        {"spot_lot": 0.5},  # of nobody knows how many
        {"spot_one_in": 0, "spot_lot": 0.5, "spot_seed": 1},
        {"pass_threshold": 1.5},
    ],
)
async def test_the_database_itself_refuses_a_judgement_that_nobody_could_read(
    tmp_path: Path, impossible: dict[str, object]
) -> None:
    ledger = await open_ledger(tmp_path)
    three = replace(judgement(decision(probabilities=THREE)), by=replace(JUDGED_BY, classes=OTHER_ORDER))
    await ledger.judged(await ledger.enter(part(), PART_TYPE), three)
    await ledger.enter(part(), PART_TYPE)
    await ledger.close()
    with closing(sqlite3.connect(tmp_path / "records.sqlite")) as connection:
        connection.row_factory = sqlite3.Row
        row = {**dict(connection.execute("SELECT * FROM judgements").fetchone()), "inspection": 2}
        insert = f"INSERT INTO judgements VALUES ({', '.join(f':{name}' for name in row)})"  # noqa: S608  # its own names
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(insert, {**row, **impossible})
        connection.execute(insert, row)


@pytest.mark.parametrize("light", [None, Light(93.5, 1.0), Light(38.25, 2.4837), Light(61.0, 1.5574, (1.0, 1.25, 2.5))])
async def test_a_judgement_keeps_how_the_part_was_lit(tmp_path: Path, light: Light | None) -> None:
    ledger = await open_ledger(tmp_path)
    inspection = await ledger.enter(part(), PART_TYPE)
    await ledger.judged(inspection, replace(judgement(), light=light))
    await ledger.close()
    shown = show_record(tmp_path, inspection.inspection_id)["light"]
    assert shown == (light and {"level": light.level, "gain": light.gain, "gains": list(light.gains)})
    (line,) = csv.DictReader(io.StringIO("".join(export_records(tmp_path, RecordFilter(), "csv"))))
    told = [line[name] for name in ("light_level", "light_gain", "light_gains")]
    gains = str(list(light.gains)) if light and light.gains else ""
    assert told == ([str(light.level), str(light.gain), gains] if light else ["", "", ""])


async def test_a_judgement_keeps_the_networks_classes_the_recipe_and_what_was_found(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    inspection = await ledger.enter(part(), PART_TYPE)
    found = judgement(decision(probabilities=THREE))
    recipe = {"recipe": "SMH-385", "recipe_sha256": "ab" * 32, "rule": "largest_first"}
    nowhere = Defect("pits", np.int64(0), np.float32(0.5), None, None, None, None)  # type: ignore[arg-type]
    by = replace(JUDGED_BY, classes=OTHER_ORDER, **recipe)
    await ledger.judged(inspection, replace(found, by=by, defects=(FOUND, nowhere)))
    await ledger.close()
    ledger = await open_ledger(tmp_path)
    journal = await ledger.journal(inspection)
    await ledger.close()
    assert journal.decision is not None
    assert np.array_equal(journal.decision.probabilities, THREE)
    shown = show_record(tmp_path, inspection.inspection_id)
    assert shown["classes"] == ["scratches", "defect_free", "pits"]
    assert np.array_equal(np.array(shown["probabilities"], np.float32), THREE)
    assert {name: shown[name] for name in recipe} == recipe
    nothing = {"angle_deg": None, "axial_mm": None, "along_mm": None, "across_mm": None}
    assert shown["defects"] == [
        {"class": "scratches", "patch": 3, "confidence": 0.875, "angle_deg": 359.5, "axial_mm": 0.0, "along_mm": 1.25,
         "across_mm": 0.5},
        {"class": "pits", "patch": 0, "confidence": 0.5, **nothing},
    ]  # fmt: skip


async def test_a_part_on_which_nothing_was_found_has_no_defects_and_says_so(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    inspection = await judged(ledger)
    await ledger.close()
    assert show_record(tmp_path, inspection.inspection_id)["defects"] == []


async def test_defects_that_cannot_be_written_take_their_judgement_with_them(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    inspection = await ledger.enter(part(), PART_TYPE)
    with pytest.raises(BugError):
        await ledger.judged(inspection, replace(judgement(), defects=(FOUND, replace(FOUND, patch=-1))))
    await ledger.close()
    assert rows(tmp_path, "SELECT state FROM inspections") == [("open",)]
    assert rows(tmp_path, "SELECT * FROM judgements") == rows(tmp_path, "SELECT * FROM defects") == []


async def test_a_verdict_that_the_table_has_no_more_is_read_as_review(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    pitted, good = await judged(ledger), await judged(ledger, Verdict.DEFECT_FREE)
    await ledger.close()
    fewer = replace(TABLE, surfaces=tuple(surface for surface in TABLE.surfaces if surface.name != "pits"))
    ledger = await open_ledger(tmp_path, table=fewer)
    decisions = [(await ledger.journal(one)).decision for one in (pitted, good)]
    await ledger.close()
    assert [one and (one.verdict, one.algorithm1) for one in decisions] == [
        (Verdict.REVIEW, Verdict.REVIEW),
        (Verdict.DEFECT_FREE, Verdict.REVIEW),
    ]


async def test_places_are_called_as_they_are_configured(tmp_path: Path) -> None:
    names = {code: Place(code, f"shelf_{code}", "") for code in (1, 2, 9)}
    review = replace(TABLE.review, place=names[9])
    ledger = await open_ledger(tmp_path, table=replace(TABLE, places=tuple(names.values()), review=review))
    inspection = await judged(ledger)
    for code in (2, 3):
        await ledger.receipt(Receipt(await ledger.order("robot", "unload", code, inspection), code, 1, 2))
    await ledger.interrupted(inspection, INTERRUPTED, "")
    await ledger.close()
    shown = show_record(tmp_path, inspection.inspection_id)
    assert [order["confirmed"] for order in shown["orders"]] == ["shelf_2", 3]
    assert shown["destination"] == "shelf_9"


async def test_a_judgement_under_an_unknown_configuration_is_refused_whole(tmp_path: Path) -> None:
    ledger = await SqliteLedger.open(tmp_path, RecordSettings(), HandClock(), ("d" * 64, "{}"), TABLE)
    inspection = await ledger.enter(part(), PART_TYPE)
    with pytest.raises(BugError, match="FOREIGN KEY"):
        await ledger.judged(inspection, judgement())
    await ledger.close()
    assert rows(tmp_path, "SELECT state FROM inspections") == [("open",)]


async def test_a_write_whose_caller_was_cancelled_is_written(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    hang = Hang()
    ledger._writer.submit(hang)
    writing = asyncio.create_task(ledger.note("fault", "written although nobody waits"))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    hang.end()
    await ledger.close()
    assert rows(tmp_path, "SELECT event FROM events") == [("fault",)]


@in_virtual_time
async def test_a_disk_that_does_not_answer_is_a_fault_and_not_a_hang(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    hang = Hang()
    ledger._writer.submit(hang)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    with pytest.raises(RecordError, match="not on the disk after 10 s") as caught:
        await ledger.note("fault", "late")
    assert loop.time() - began_s == WRITE_DEADLINE_S
    assert caught.value.code == "record.disk_failed"
    hang.end()
    await ledger.close()
    assert rows(tmp_path, "SELECT detail FROM events") == [("late",)]


async def test_a_full_queue_is_a_fault_and_not_a_silent_drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "WRITES_WAITING", 2)
    ledger = await open_ledger(tmp_path)
    hang = Hang()
    ledger._writer.submit(hang)
    waiting = asyncio.create_task(ledger.note("fault", "waits"))
    await asyncio.sleep(0)
    with pytest.raises(RecordError, match="2 writes are waiting") as caught:
        await ledger.note("fault", "refused")
    assert caught.value.code == "record.disk_failed"
    hang.end()
    await waiting
    await ledger.close()
    assert rows(tmp_path, "SELECT detail FROM events") == [("waits",)]


async def test_a_closed_ledger_says_so_and_leaves_no_thread(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path)
    await ledger.close()
    await ledger.close()
    with pytest.raises(BugError, match="closed"):
        await ledger.note("fault", "too late")
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith(("records", "archive"))]


@pytest.mark.parametrize("novelty", [None, Novelty(0.5, 0), Novelty(1.75, 5, 0.01, 0.05, "ca" * 32, 99)])
async def test_a_judgement_keeps_how_unlike_the_training_the_part_was(tmp_path: Path, novelty: Novelty | None) -> None:
    ledger = await open_ledger(tmp_path)
    inspection = await ledger.enter(part(), PART_TYPE)
    await ledger.judged(inspection, judgement(replace(decision(), novelty=novelty)))
    read = (await ledger.journal(inspection)).decision
    await ledger.close()
    assert read is not None
    assert read.novelty == (novelty and replace(novelty, parts=0))
    assert (read.novelty is not None and read.novelty.unknown) is (novelty is not None and novelty.unknown)
    shown = show_record(tmp_path, inspection.inspection_id)["novelty"]
    assert shown == (
        novelty
        and {"score": novelty.score, "patch": novelty.patch, "p": novelty.p_value, "alpha": novelty.level}
        | {"calibration_sha256": novelty.calibration_sha256}
    )
    (line,) = csv.DictReader(io.StringIO("".join(export_records(tmp_path, RecordFilter(), "csv"))))
    assert line["novelty_score"] == (str(novelty.score) if novelty else "")
