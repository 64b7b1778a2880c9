"""Golden parts in the cell: none of their type goes before them, and a wrong one holds it."""

from pathlib import Path

from station.cell.packml import Command, State
from station.core.errors import FAULTS
from station.core.settings import Settings
from station.core.study import Study
from station.host.control import ask
from tests.cell.bench import Bench, listening, running, settings, until
from tests.contract.fake_camera import Misfortune, Mishap
from tests.housings import Verdict
from tests.virtual_time import LoopClock

DUE, REFUSED = FAULTS["part.challenge_due"], FAULTS["part.golden_refused"]


def golden(**more: object) -> Settings:
    rows = [
        {"part_id": "GOLD-GOOD", "part_type": "smh_385", "expected": "defect_free"},
        {"part_id": "GOLD-PITS", "part_type": "smh_385", "expected": "pits"},
    ]
    return settings(challenge={"golden": rows, **more})


async def lay_in(bench: Bench, part_id: str, says: Verdict, type_code: int = 1) -> tuple[str, str | None]:
    """The place and the reason of a part that is fed and sorted."""
    bench.classifier.says = says
    before = len(bench.floor.sorted_parts)
    bench.feed(part_id, type_code)
    await until(lambda: len(bench.floor.sorted_parts) > before)
    await bench.sorted(before + 1)
    entry = list(bench.ledger.entries.values())[-1]
    assert entry.inspection.part.part_id == part_id
    return bench.floor.sorted_parts[-1][1], entry.reason and entry.reason.code


async def pass_challenge(bench: Bench) -> None:
    assert await lay_in(bench, "GOLD-GOOD", Verdict.DEFECT_FREE) == ("bin_review", "part.golden")
    assert await lay_in(bench, "GOLD-PITS", Verdict.PITS) == ("bin_review", "part.golden")


async def suspended(bench: Bench) -> str:
    """What the cell says while it waits for golden parts."""
    await until(lambda: bench.fault in (DUE, REFUSED))
    assert bench.desk.view.reason is not None
    return bench.desk.view.reason.detail


def names(bench: Bench) -> list[str]:
    return [step.name for step in bench.ledger.references.steps]


async def test_no_part_goes_before_the_golden_ones_and_those_never_pass() -> None:
    async with running(golden()) as bench:
        await bench.start()
        bench.feed("A1")
        said = await suspended(bench)
        await until(lambda: bench.line.report.reason is FAULTS["part.challenge_due"])
        assert said == "smh_385: no challenge was passed yet; lay in GOLD-GOOD, GOLD-PITS"
        assert bench.floor.sorted_parts == []
        assert await lay_in(bench, "GOLD-GOOD", Verdict.DEFECT_FREE) == ("bin_review", "part.golden")
        bench.feed("GOLD-GOOD")
        await until(lambda: bench.fault is REFUSED)
        assert "GOLD-GOOD was laid in already; smh_385: a golden" not in await suspended(bench)
        assert (await suspended(bench)).endswith("lay in GOLD-PITS")
        assert await lay_in(bench, "GOLD-PITS", Verdict.PITS) == ("bin_review", "part.golden")
        assert await lay_in(bench, "A1", Verdict.DEFECT_FREE) == ("second_inspection", None)
        assert names(bench) == ["judged", "judged", "passed"]


async def test_a_golden_part_under_another_type_is_not_taken() -> None:
    async with running(golden()) as bench:
        await bench.start()
        bench.feed("GOLD-PITS", 2)
        assert "GOLD-PITS is of type smh_385, announced as smh_570" in await suspended(bench)
        await until(lambda: bench.line.report.reason is FAULTS["part.golden_refused"])


async def test_a_golden_part_that_is_judged_wrongly_holds_the_cell_until_all_are_right() -> None:
    async with running(golden()) as bench:
        await bench.start()
        await pass_challenge(bench)
        await lay_in(bench, "A1", Verdict.DEFECT_FREE)
        assert await lay_in(bench, "GOLD-PITS", Verdict.DEFECT_FREE) == ("bin_review", "part.golden")
        await bench.desk.reached(State.HELD)
        assert bench.fault is FAULTS["part.challenge_failed"]
        await until(lambda: bench.line.report.reason is FAULTS["part.challenge_failed"])
        assert "GOLD-PITS is pits, judged defect_free" in bench.desk.view.reason.detail  # type: ignore[union-attr]
        bench.give(Command.UNHOLD)
        await bench.desk.reached(State.EXECUTE, State.SUSPENDED)
        bench.feed("A2")
        assert "the last challenge failed" in await suspended(bench)
        remembered = await bench.ledger.references.remembered()
    async with running(golden(), remembered=remembered) as again:  # a restart forgets nothing
        await again.start()
        again.feed("A2")
        assert "the last challenge failed" in await suspended(again)
        await pass_challenge(again)
        assert await lay_in(again, "A2", Verdict.DEFECT_FREE) == ("second_inspection", None)


async def test_a_golden_part_whose_scan_cannot_be_judged_is_laid_in_again() -> None:
    lost = Misfortune(Mishap.LOST, 3)
    async with running(golden(), misfortunes=(lost, lost)) as bench:
        await bench.start()
        assert await lay_in(bench, "GOLD-PITS", Verdict.PITS) == ("bin_review", "part.golden")
        assert [(step.name, step.found) for step in bench.ledger.references.steps] == [("judged", None)]
        await pass_challenge(bench)
        assert names(bench)[-1] == "passed"


async def test_a_review_that_is_cheaper_is_asked_for_until_its_budget_is_spent() -> None:
    prices = {"escape": 100, "overkill": 1000, "review": 1, "reviews": 2}
    kind = settings().model_dump(mode="json")["part_types"]["smh_385"] | {"rule": "cost"}
    async with running(settings(decision={"prices": prices}, part_types={"smh_385": kind})) as bench:
        await bench.start()
        bench.classifier.probability = 0.998  # 16 patches: a pass is expected to cost 3.2
        said = [await lay_in(bench, f"A{number}", Verdict.DEFECT_FREE) for number in range(3)]
        assert said == [("bin_review", "part.review_cheaper")] * 2 + [("second_inspection", None)]
        decided = [entry.judgement.decision for entry in bench.ledger.entries.values() if entry.judgement]
        assert [one.rulings.costing.reviews_left for one in decided] == [2, 1, 0]
        assert bench.line.published[0].decision.fault is FAULTS["part.review_cheaper"]


async def test_changeover_hours_operator_and_plc_make_them_due_anew(tmp_path: Path) -> None:
    clock = LoopClock()
    async with running(golden(every_h=8.0), clock=clock) as bench, listening(bench.desk, tmp_path):
        await bench.start()
        await pass_challenge(bench)
        assert await lay_in(bench, "B1", Verdict.DEFECT_FREE, 2) == ("bin_review", "part.wrong_width")
        bench.feed("A1")
        assert "changeover" in await suspended(bench)
        await pass_challenge(bench)
        clock.step(8 * 3600 + 60)
        bench.feed("A1")
        assert "8 h since the last challenge" in await suspended(bench)
        await pass_challenge(bench)
        answer = await ask(tmp_path, "challenge smh_385 a new lamp")
        assert answer["refused"] is None
        bench.feed("A1")
        assert "a new lamp, by " in await suspended(bench)
        await pass_challenge(bench)
        assert "no golden part of smh_570" in (await ask(tmp_path, "challenge smh_570 no reason"))["refused"]
        bench.desk.command(100, "plc")
        bench.feed("A1")
        assert "asked for, by plc" in await suspended(bench)
        await pass_challenge(bench)
        assert await lay_in(bench, "A1", Verdict.DEFECT_FREE) == ("second_inspection", None)
        assert names(bench).count("passed") == 5


async def test_a_study_turns_each_part_as_often_as_it_asks_for_and_lets_none_pass(tmp_path: Path) -> None:
    study = Study("spring", 3)
    async with running(golden()) as bench, listening(bench.desk, tmp_path):
        await bench.start()
        assert (await ask(tmp_path, "msa begin spring 3"))["refused"] is None
        assert "is under way" in (await ask(tmp_path, "msa begin autumn 3"))["refused"]
        assert await lay_in(bench, "A1", Verdict.DEFECT_FREE) == ("bin_review", "part.study")
        kept = bench.ledger.references.judged
        assert [(name, one.part.part_id, trial) for name, one, trial, _said in kept] == [
            ("spring", "A1", 1), ("spring", "A1", 2), ("spring", "A1", 3),
        ]  # fmt: skip
        assert {said.verdict.name for *_where, said in kept} == {"defect_free"}
        remembered = await bench.ledger.references.remembered()
        assert remembered.study == study
    ledger = bench.ledger
    ledger.references.judged.pop()  # the last trial was broken off
    async with running(golden(), ledger=ledger, remembered=remembered) as again, listening(again.desk, tmp_path):
        again.ledger = ledger
        await again.start()
        bench.classifier.says = Verdict.DEFECT_FREE
        again.feed("A1")
        await until(lambda: len(ledger.references.judged) == 3)
        await until(lambda: len(again.floor.sorted_parts) == 1)
        assert [trial for _name, _one, trial, _said in ledger.references.judged] == [1, 2, 3]
        assert (await ask(tmp_path, "msa end"))["refused"] is None
        again.feed("A2")
        assert "no challenge was passed yet" in await suspended(again)
        await until(lambda: ledger.references.studies == {study: True})
