"""Which of several reasons a part is sent to people for, when it is scanned again, and what is kept of a judgement."""

from typing import Any

import numpy as np
import pytest

from station.cell.concluding import Judged, Setup, conclude, review, unscanned
from station.cell.scan import Scan
from station.core.errors import FAULTS, CameraError, JigError, ModelError, PartError, StationError
from station.core.part import LineAccount
from station.core.reason import Reason
from station.core.recipe import Recipe
from tests.housings import CLASSES, Verdict, rule
from tests.lines import LINES_PER_BLOCK
from tests.record_samples import MODEL, PART_TYPE, account, blocks_of, decision

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
