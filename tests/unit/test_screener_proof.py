"""From what answer on a screener may pass is chosen on some parts, and proven on others that had no say in it."""

from collections.abc import Sequence

import pytest

from models.evaluation.figures.fixed_sequence import Claim
from models.manifest import utc_now
from models.screening.proving import THRESHOLDS, Compared, Screenable, choose, count
from models.screening.sections import ScreenerProof
from models.screening.words import sentence
from station.core.errors import ModelError
from tests.screeners import CHOSEN, PROVEN

ONE_IN_A_HUNDRED = Claim(0.01, 0.95)
NEVER = Screenable(0.0)


def compared(pair: str, full: str, good: str = "", part_type: str = "tiny") -> Compared:
    passes = pair == "defect_free", full == "defect_free"
    return Compared(part_type, pair, full, passes, bool(good), 16, 12)


def test_thresholds_fall_and_begin_where_hardly_anything_is_sure() -> None:
    assert list(THRESHOLDS) == sorted(THRESHOLDS, reverse=True)
    assert THRESHOLDS[-1] > 0.5


@pytest.mark.parametrize(
    ("least", "threshold", "passed"),
    [
        ([], THRESHOLDS[-1], 0),
        ([0.99], 0.995, 0),  # one of 299 would be one too many
        ([0.9995], 0.9998, 0),
        ([0.5, 0.6], THRESHOLDS[-1], 0),
    ],
)
def test_the_lowest_threshold_is_taken_before_the_first_that_is_not_proven(
    least: Sequence[float], threshold: float, passed: int
) -> None:
    parts = [*map(Screenable, least), *([NEVER] * (299 - len(least)))]
    found, chosen = choose(parts, "pale parts", ONE_IN_A_HUNDRED)
    assert (found, chosen.passed_alone, chosen.parts) == (threshold, passed, 299)


def test_more_parts_bear_a_part_that_passes() -> None:
    found, chosen = choose([Screenable(0.97), *([NEVER] * 472)], "pale parts", ONE_IN_A_HUNDRED)
    assert (found, chosen.passed_alone) == (THRESHOLDS[-1], 1)


@pytest.mark.parametrize(
    ("parts", "why"), [([NEVER] * 298, "0 of 298"), ([Screenable(1.0), *([NEVER] * 298)], "1 of 299"), ([], "0 of 0")]
)
def test_what_so_few_parts_do_not_prove_is_no_threshold(parts: Sequence[Screenable], why: str) -> None:
    with pytest.raises(ModelError, match=why) as caught:
        choose(parts, "pale parts", ONE_IN_A_HUNDRED)
    assert caught.value.code == "model.export_failed"


def test_every_way_in_which_the_two_decide_otherwise_is_counted_once() -> None:
    parts = [
        compared("defect_free", "defect_free", "good"),
        compared("pits", "pits"),
        compared("defect_free", "pits", part_type="wide"),
        compared("defect_free", "review"),
        compared("scratches", "pits"),
        compared("pits", "defect_free", "good"),
        compared("review", "defect_free"),
    ]
    found = count(parts, "others")
    assert found.parts == {"tiny": 6, "wide": 1}
    assert (found.not_passed, found.passed_alone, found.otherwise, found.overkills) == (4, 2, 3, 1)
    assert (found.patches, found.screened, found.all_parts) == (7 * 16, 7 * 12, 7)


def test_the_sentence_tells_the_bound() -> None:
    proof = ScreenerProof(
        engine="openvino",
        precision="int8",
        isa="x86_64",
        threshold=0.99,
        chosen=CHOSEN,
        proven=PROVEN,
        files={"screener.bin": "0" * 64},
        made=utc_now(),
    )
    told = sentence(proof)
    assert "of 2,995 parts (other parts), 2,000 of which the network in f32 does not pass, the pair passed 0" in told
    assert "at most 0.10% of parts, 95 %" in told
    assert "62.6% of 47,920 patches" in told
