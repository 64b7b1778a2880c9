"""What two looks at one part come to: a second one may only add reasons, and passes nothing that the first named."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from station.core.errors import FAULTS
from station.core.looks import names_no_defect, unsure, weighed
from station.core.novelty.conformal import Novelty
from station.core.part import Decision
from tests.housings import Verdict

SCORES = np.zeros((16, 5), np.float32)
UNKNOWN, USUAL = Novelty(3.0, 4, 0.005, 0.01, "ca" * 32, 199), Novelty(0.7, 2, 0.4, 0.01, "ca" * 32, 199)
KINDS = (Verdict.DEFECT_FREE, Verdict.PITS, Verdict.SCRATCHES)
LEAST = 0.5
CODES = (None, "part.low_confidence", "part.unknown", "scan.incomplete", "scan.late", "camera.lost")


def look(named: Verdict, code: str | None = None, rule: Verdict | None = None) -> Decision:
    """A look in which Algorithm 1 names this, and the rule the other where one is given."""
    verdict = Verdict.REVIEW if code else rule or named
    novelty = UNKNOWN if code == "part.unknown" else USUAL
    defects = 0 if named.passes else 2
    return Decision(verdict, named, code and FAULTS[code], "seen", 0.6, 3, defects, SCORES, novelty)


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (look(Verdict.PITS), None),
        (look(Verdict.DEFECT_FREE), None),
        (look(Verdict.PITS, "part.low_confidence"), "part.low_confidence: seen"),
        (look(Verdict.DEFECT_FREE, "part.unknown"), "part.unknown: seen"),
        (look(Verdict.DEFECT_FREE, "scan.late"), None),
        (look(Verdict.PITS, rule=Verdict.SCRATCHES), "the rule says scratches, Algorithm 1 says pits"),
        (replace(look(Verdict.PITS, "camera.lost"), algorithm1=None), None),
    ],
)  # fmt: skip
def test_little_confidence_an_unknown_part_and_two_rules_that_differ_are_worth_a_turn(
    seen: Decision, why: str | None
) -> None:
    assert unsure(seen) == why


def test_nothing_passes_that_either_look_would_not_pass() -> None:
    looks = [look(*one) for one in product(KINDS, CODES, (None, *KINDS))]
    unsures = [first for first in looks if unsure(first)]
    passed = [(first, second) for first, second in product(unsures, looks)
              if weighed(first, second, Verdict.REVIEW, LEAST).verdict.passes]  # fmt: skip
    assert passed
    for first, second in passed:
        assert (second.verdict, second.fault, second.algorithm1) == (Verdict.DEFECT_FREE, None, Verdict.DEFECT_FREE)
        assert names_no_defect(first)
        assert first.fault is FAULTS["part.low_confidence"]
        assert first.novelty is not None
        assert not first.novelty.unknown


@pytest.mark.parametrize(("sure", "code"), [(0.599, "part.low_confidence"), (0.61, None), (0.99, None)])
def test_two_looks_pass_a_part_where_they_are_sure_of_it_together(sure: float, code: str | None) -> None:
    first = replace(look(Verdict.DEFECT_FREE, "part.low_confidence"), confidence=0.4)
    came = weighed(first, replace(look(Verdict.DEFECT_FREE), confidence=sure), Verdict.REVIEW, LEAST)
    assert came.verdict == (Verdict.REVIEW if code else Verdict.DEFECT_FREE)
    assert (came.fault and came.fault.code) == code
    assert ("of both looks together" in came.detail) == bool(code)


@pytest.mark.parametrize("second", [look(kind, code) for kind in KINDS for code in CODES])
def test_an_unknown_part_stays_one(second: Decision) -> None:
    came = weighed(look(Verdict.DEFECT_FREE, "part.unknown"), second, Verdict.REVIEW, LEAST)
    assert came.verdict == Verdict.REVIEW
    assert came.fault is (second.fault or FAULTS["part.unknown"])
    assert "first look" in came.detail


@pytest.mark.parametrize(
    ("first", "second", "verdict", "code"),
    [
        (look(Verdict.PITS, "part.low_confidence"), look(Verdict.PITS), Verdict.PITS, None),
        (look(Verdict.PITS, "part.low_confidence"), look(Verdict.SCRATCHES), Verdict.REVIEW, "part.looks_differ"),
        (look(Verdict.PITS, "part.low_confidence"), look(Verdict.DEFECT_FREE), Verdict.REVIEW, "part.looks_differ"),
        (look(Verdict.DEFECT_FREE, "part.low_confidence"), look(Verdict.PITS), Verdict.REVIEW, "part.looks_differ"),
        (look(Verdict.DEFECT_FREE, "part.low_confidence"), look(Verdict.DEFECT_FREE), Verdict.DEFECT_FREE, None),
        (look(Verdict.PITS, rule=Verdict.SCRATCHES), look(Verdict.SCRATCHES), Verdict.SCRATCHES, None),
        (look(Verdict.PITS, rule=Verdict.SCRATCHES), look(Verdict.DEFECT_FREE), Verdict.REVIEW, "part.looks_differ"),
        (look(Verdict.PITS, "part.low_confidence"), look(Verdict.PITS, "scan.late"), Verdict.REVIEW, "scan.late"),
    ],
)  # fmt: skip
def test_a_defect_stands_where_the_first_look_named_it_too(
    first: Decision, second: Decision, verdict: Verdict, code: str | None
) -> None:
    came = weighed(first, second, Verdict.REVIEW, LEAST)
    assert (came.verdict, came.fault and came.fault.code) == (verdict, code)


def test_a_first_look_that_shows_a_defect_in_any_patch_passes_nothing() -> None:
    first = replace(look(Verdict.DEFECT_FREE, "part.low_confidence"), defect_patches=1)
    assert weighed(first, look(Verdict.DEFECT_FREE), Verdict.REVIEW, LEAST).fault is FAULTS["part.looks_differ"]
