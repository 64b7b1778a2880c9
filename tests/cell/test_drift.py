"""A running cell whose lamp, lens or parts change: alarms in the part in which they are due, and a stricter rule."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from station.core.drift import course, limits
from station.core.events import DriftChanged
from station.core.part import Pixels
from station.host.control import send
from tests.cell.bench import Bench, listening, running, settings, until
from tests.contract.fake_ledger import FakeLedger
from tests.housings import Verdict

FIRST, LAST = 2, 3
Change = Callable[[Pixels], Pixels]


@pytest.fixture(autouse=True)
def few_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two parts tell how it was at first, and three how it is now."""
    monkeypatch.setattr(limits, "FIRST_PARTS", FIRST)
    monkeypatch.setattr(limits, "LAST_PARTS", LAST)
    monkeypatch.setattr(course, "LAST_PARTS", LAST)


async def take(bench: Bench, parts: int) -> None:
    begun = len(bench.floor.sorted_parts)
    for number in range(begun + 1, begun + parts + 1):
        bench.feed(f"P{number}")
        await bench.sorted(number)


def alarms(bench: Bench) -> dict[str, bool]:
    """Codes on the list, and whether they are active."""
    return {alarm.fault.code: alarm.active for alarm in bench.desk.view.alarms}


def faded(image: Pixels) -> Pixels:
    return np.asarray(cv2.convertScaleAbs(image, alpha=0.7), np.uint8)


def blurred(image: Pixels) -> Pixels:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 2.0), np.uint8)


def dirty(image: Pixels) -> Pixels:
    seen = image.copy()
    seen[:, 40:80] += 12
    return seen


@pytest.mark.parametrize(
    ("change", "code"),
    [(faded, "camera.lamp_faded"), (blurred, "camera.out_of_focus"), (dirty, "camera.dirt")],
    ids=["camera.lamp_faded", "camera.out_of_focus", "camera.dirt"],
)
async def test_lamp_focus_and_dirt_are_alarms_while_they_last_and_the_cell_goes_on(change: Change, code: str) -> None:
    async with running(settings(drift={"lamp_min": 0.8})) as bench:
        await bench.start()
        await take(bench, 3)
        usual, bench.camera.image = bench.camera.image, change(bench.camera.image)
        await take(bench, 1)
        assert code not in alarms(bench)
        await take(bench, 1)
        assert alarms(bench).get(code) is True, "due with the second of three"
        bench.camera.image = usual
        await take(bench, 2)
        assert alarms(bench).get(code) is False
        noted = [(event, detail.split()[1]) for event, detail in bench.ledger.events if event.startswith("drift")]
        assert noted == [("drift_found", f"{code}:"), ("drift_over", f"{code}:")]
        told = [event.drifts["smh_385"] for event in bench.events if isinstance(event, DriftChanged)]
        assert [drift.beyond for drift in told[-2:]] == [(code,), ()]
        suspended = [drift.suspended and drift.suspended.because for drift in told[-2:]]
        assert suspended == [(code,), (code,)], "until calibrated anew, whatever has become of the cause"
        (listed,) = (alarm for alarm in bench.desk.view.alarms if alarm.fault.code == "quality.promise_suspended")
        assert listed.active
        assert listed.detail.startswith("smh_385: Suspended since ")


async def test_parts_that_change_suspend_the_promise_and_more_of_them_go_to_people(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("station.cell.drift_watch.lot_of", lambda _inspection: 0.5)
    drift = settings(drift={"false_alarm": 0.2, "alpha": 0.1})
    async with running(drift) as bench:
        await bench.start()
        bench.classifier.known.score = 0.95  # as unlike as five of 99 good parts: no part alone is unknown
        count = 0
        while "quality.drift" not in alarms(bench):
            await take(bench, 1)
            count += 1
            assert count < 30
        assert {place for _part, place in bench.floor.sorted_parts} == {"second_inspection"}
        await take(bench, 1)
        last = list(bench.ledger.entries.values())[-1]
        assert (last.verdict, last.reason and last.reason.code) == (Verdict.REVIEW, "part.unknown")
        assert last.judgement is not None
        assert last.judgement.decision.novelty is not None
        assert last.judgement.decision.novelty.level == 0.1
        ledger: FakeLedger = bench.ledger
        listed = bench.desk.view.alarms
    async with running(drift, ledger=ledger, alarms=listed) as bench:
        await bench.start()
        assert alarms(bench) == {"quality.drift": True, "quality.promise_suspended": True}
        async with listening(bench.desk, tmp_path):
            suspended = (await send(tmp_path, "status"))["suspended"]
        assert suspended is not None
        assert suspended.startswith("smh_385: Suspended since ")
        assert suspended.endswith(" UTC (quality.drift), until calibrated anew")
        bench.classifier.known.score = 0.95
        bench.feed("Q1")
        await until(lambda: bench.floor.sorted_parts)
        assert bench.floor.sorted_parts == [("Q1", "bin_review")]


async def test_a_reference_area_that_the_part_covers_is_told_once() -> None:
    async with running(settings(drift={"reference_px": [320, 360]})) as bench:
        await bench.start()
        await take(bench, 2)
        notes = [detail for event, detail in bench.ledger.events if event == "reference_covered"]
        (told,) = notes
        assert told.startswith("smh_385: the part in columns 300 to 685 covers drift.reference_px, 320 to 360")
        assert told.endswith("its lamp is not watched")
