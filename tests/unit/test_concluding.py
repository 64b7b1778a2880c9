"""Which of several reasons a part is sent to people for, when it is scanned again, and what is kept of a judgement."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from station.cell.concluding import Judged, Setup, conclude, review, spot_checked, unscanned
from station.cell.scan import Scan
from station.core.errors import FAULTS, CameraError, JigError, ModelError, PartError, StationError
from station.core.part import LineAccount
from station.core.reason import Reason
from station.core.recipe import Recipe
from station.core.spot_check import SpotCheck
from tests.housings import CLASSES, Verdict, rule
from tests.lines import LINES_PER_BLOCK
from tests.record_samples import MODEL, PART_TYPE, account, blocks_of, decision, judgement

WHOLE, BROKEN = account(), account(FAULTS["scan.incomplete"])
CAMERA, JIG = CameraError("camera.lost", "unplugged"), JigError("jig.slipped", "too slow")
EMPTY, NETWORK = PartError("part.jig_empty", "black"), ModelError("model.engine_failed", "planted")


class Network:
    """Only says who it is."""

    model, classes = MODEL, CLASSES


CLASSIFIER: Any = Network()
SETUP = Setup(Recipe(PART_TYPE, CLASSIFIER, rule(), frozenset({"pits"}), "cd" * 32), {"Gain": 1.0}, "ab" * 32)


def judged(lines: LineAccount, error: StationError | None) -> Judged:
    """A turn with this account whose strips have no scores."""
    blocks = blocks_of(np.zeros((LINES_PER_BLOCK, 8), np.uint8))
    return conclude(Scan(blocks, lines, [LookupError()], None, None, error, 0), error, SETUP, 5)


@pytest.mark.parametrize(
    ("lines", "error", "code"),
    [
        (BROKEN, CAMERA, "camera.lost"),
        (BROKEN, JIG, "jig.slipped"),
        (BROKEN, EMPTY, "scan.incomplete"),
        (BROKEN, NETWORK, "scan.incomplete"),
        (BROKEN, None, "scan.incomplete"),
        (WHOLE, CAMERA, "camera.lost"),
        (WHOLE, EMPTY, "part.jig_empty"),
        (WHOLE, NETWORK, "model.engine_failed"),
        (WHOLE, None, "scan.judged_in_part"),
    ],
)
def test_a_broken_device_is_told_before_missing_lines_and_these_before_what_was_seen_on_them(
    lines: LineAccount, error: StationError | None, code: str
) -> None:
    part = judged(lines, error)
    assert part.judgement.decision.fault is FAULTS[code]
    assert part.judgement.decision.verdict == Verdict.REVIEW
    assert part.error is error


@pytest.mark.parametrize(("error", "again"), [(CAMERA, True), (JIG, True), (EMPTY, False), (NETWORK, False)], ids=str)
def test_a_part_is_scanned_again_where_the_faults_reaction_says_so(error: StationError, *, again: bool) -> None:
    assert judged(WHOLE, error).scan_again == (Reason.of(error) if again else None)


def test_a_part_that_could_not_be_turned_is_review_with_the_jigs_reason_and_without_a_block() -> None:
    part = unscanned(JIG, SETUP, 17)
    found = part.judgement
    assert (found.decision.verdict, found.decision.fault, found.decision.detail) == (
        Verdict.REVIEW, FAULTS["jig.slipped"], "too slow",
    )  # fmt: skip
    assert (len(found.blocks), found.ms_after_last_line, found.times.armed_ns) == (0, None, None)
    assert not found.account.valid
    assert part.error is JIG


def test_what_judged_is_recorded_with_every_judgement() -> None:
    by = unscanned(JIG, SETUP, 17).judgement.by
    assert by == judged(WHOLE, None).judgement.by
    assert (by.model, by.classes, by.config_sha256) == (MODEL, CLASSES, "ab" * 32)
    assert (by.recipe, by.recipe_sha256, by.rule, by.archive) == (
        PART_TYPE.name, "cd" * 32, "algorithm1", frozenset({"pits"}),
    )  # fmt: skip


def test_a_review_keeps_what_was_judged_before() -> None:
    before = decision(Verdict.PITS)
    sent = review(Verdict.REVIEW, Reason(FAULTS["part.interrupted"], "left"), before)
    assert (sent.verdict, sent.fault, sent.detail) == (Verdict.REVIEW, FAULTS["part.interrupted"], "left")
    assert (sent.algorithm1, sent.confidence, sent.deciding_patch) == (Verdict.PITS, 0.75, 5)
    assert np.array_equal(sent.probabilities, before.probabilities)


def looked_at(one_in: int, inspection_id: str = "20260501T060000123-ABCDEFG", seed: int = 1) -> Judged:
    """A part that passes, where one in so many is drawn."""
    setup = replace(SETUP, recipe=replace(SETUP.recipe, spot_check=SpotCheck(one_in, seed)))
    return spot_checked(Judged(judgement(decision(Verdict.DEFECT_FREE)), None), inspection_id, setup)


def test_a_part_that_would_pass_goes_to_review_where_it_is_drawn_and_keeps_all_that_was_judged() -> None:
    drawn = looked_at(1).judgement.decision
    assert (drawn.verdict, drawn.fault) == (Verdict.REVIEW, FAULTS["part.spot_check"])
    assert drawn.spot_check is not None
    assert drawn.spot_check.drawn
    assert (drawn.algorithm1, drawn.confidence) == (Verdict.PITS, 0.75)
    assert drawn.detail == f"one in 1 that would pass is looked at; lot {drawn.spot_check.lot:.6f}, seed 1"


def test_a_part_that_is_not_drawn_passes_and_its_draw_is_kept() -> None:
    passed = looked_at(1_000_000).judgement.decision
    assert (passed.verdict, passed.fault) == (Verdict.DEFECT_FREE, None)
    assert passed.spot_check is not None
    assert (passed.spot_check.one_in, passed.spot_check.drawn) == (1_000_000, False)


def test_no_draw_is_made_of_a_part_that_does_not_pass_or_where_none_is_asked_for() -> None:
    assert looked_at(0).judgement.decision.spot_check is None
    setup = replace(SETUP, recipe=replace(SETUP.recipe, spot_check=SpotCheck(1)))
    pits = Judged(judgement(decision(Verdict.PITS)), None)
    assert spot_checked(pits, "20260501T060000123-ABCDEFG", setup) is pits


def test_a_draw_is_the_same_again_by_its_seed_and_id_and_draws_one_in_so_many() -> None:
    ids = [f"20260501T060000123-{number:07}" for number in range(20_000)]
    drawn = [SpotCheck(20, 7).draw(one) for one in ids]
    assert drawn == [SpotCheck(20, 7).draw(one) for one in ids]
    assert 900 < sum(draw is not None and draw.drawn for draw in drawn) < 1_100
    assert drawn[0] != SpotCheck(20, 8).draw(ids[0])
