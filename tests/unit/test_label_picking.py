"""Which parts are picked to be labelled: the most unsure, and some by lot; and what is known of parts."""

import math
from dataclasses import replace

import pytest

from station.core.lot import lot_of
from station.labels.label import Box, InspectionSubject, Label, Patch, Region, ScanSubject, WholePart
from station.labels.picking.candidate import Doubt, doubt_of
from station.labels.picking.choosing import RANDOM_SHARE, Why, choose
from station.labels.picking.lot import Draw, draw_lots
from station.labels.picking.truth import Truth, Truths
from tests.picking import GOOD, after, candidate, said
from tests.turned import GEOMETRY

NOW = after(1e5)


# ---------------------------------------------------------------------- how unsure


def doubt(*row: float, novelty_p: float | None = None) -> Doubt:
    """Of a patch that scored so."""
    found = doubt_of(row, novelty_p)
    assert found is not None
    return found


def test_margin_and_entropy_are_those_of_the_textbook() -> None:
    assert doubt(0.2, 0.5, 0.3).margin == pytest.approx(0.2)
    assert doubt(0.5, 0.5).margin == 0
    assert doubt(0.25, 0.25, 0.25, 0.25).entropy == pytest.approx(1)
    assert doubt(1.0, 0.0, 0.0).entropy == 0
    assert doubt(0.5, 0.5, 0.0, 0.0).entropy == pytest.approx(math.log(2) / math.log(4))


def test_doubt_rises_from_a_certain_patch_to_a_mere_guess() -> None:
    degrees = [doubt(*row).degree for row in ((1.0, 0.0), (0.9, 0.1), (0.6, 0.4), (0.5, 0.5))]
    assert degrees == sorted(degrees)
    assert (degrees[0], degrees[-1]) == (0, 1)
    assert [doubt_of(row) for row in ((), (1.0,), (0.5, None))] == [None, None, None]


def test_what_looks_strange_is_doubted_however_sure_the_network_is() -> None:
    assert doubt(1.0, 0.0, novelty_p=0.0).degree == 1
    assert doubt(1.0, 0.0, novelty_p=0.05).degree == pytest.approx(0.5)
    assert doubt(1.0, 0.0, novelty_p=0.5).degree == 0
    assert doubt(0.5, 0.5, novelty_p=0.5).degree == 1
    picks = choose([candidate(1, row=(0.7, 0.3)), candidate(2, row=(1.0, 0.0), novelty_p=0.001)], 1, 1, NOW).picks
    assert [pick.candidate.part_id for pick in picks] == ["P00002"]
    assert "novelty p 0.001" in picks[0].told


# ---------------------------------------------------------------------- chosen


def test_seven_in_ten_are_the_most_unsure_and_the_others_have_the_lowest_lots() -> None:
    waiting = [candidate(number, row=(0.5 + number / 1000, 0.5 - number / 1000)) for number in range(400)]
    choice = choose(waiting, 20, seed=1, at=NOW)
    drawn = [pick.candidate for pick in choice.picks if pick.why is Why.RANDOM]
    unsure = [pick.candidate for pick in choice.picks if pick.why is Why.UNSURE]
    assert len(drawn) == 20 * RANDOM_SHARE
    assert drawn == sorted(waiting, key=lambda one: lot_of(one.part_id, 1))[:6]
    others = [one for one in waiting if one not in drawn]
    assert unsure == sorted(others, key=lambda one: one.inspection_id)[:14]
    assert choice.draw is not None
    assert all(choice.draw.drew(one) == (one in drawn) for one in waiting)


def test_what_went_to_review_is_asked_first_and_what_was_not_judged_never() -> None:
    sure_review = candidate(1, "review", (0.99, 0.01), "part.low_confidence")
    unsure = candidate(2, row=(0.5, 0.5))
    broken = candidate(3, "review", None, "scan.incomplete")
    picks = choose([unsure, broken, sure_review], 1, seed=1, at=NOW).picks
    assert [pick.candidate for pick in picks] == [sure_review]
    assert "review, part.low_confidence" in picks[0].told
    three = choose([unsure, broken, sure_review], 3, seed=1, at=NOW).picks
    assert all(pick.why is Why.RANDOM for pick in three if pick.candidate is broken)


def test_the_same_parts_are_picked_until_they_are_labelled() -> None:
    waiting = [candidate(number) for number in range(50)]
    first = choose(waiting, 10, seed=7, at=NOW)
    assert choose(list(reversed(waiting)), 10, seed=7, at=NOW) == first
    assert choose(waiting, 10, seed=8, at=NOW).picks != first.picks
    picked = [pick.candidate for pick in first.picks]
    again = choose([one for one in waiting if one not in picked], 10, seed=7, at=NOW)
    assert not set(picked) & {pick.candidate for pick in again.picks}


def test_where_there_are_few_all_are_picked_once() -> None:
    waiting = [candidate(number) for number in range(3)]
    choice = choose(waiting, 20, seed=1, at=NOW)
    assert sorted(pick.candidate.part_id for pick in choice.picks) == [one.part_id for one in waiting]
    assert choice.draw == Draw(NOW, 1, 1.0)
    assert choose([], 20, seed=1, at=NOW).draw is None
    assert choose(waiting, 1, seed=1, at=NOW).draw is None


# ---------------------------------------------------------------------- lots


def test_lots_are_even_and_those_of_two_seeds_are_independent() -> None:
    one, other = ([lot_of(f"P{number}", seed) for number in range(4000)] for seed in (1, 2))
    assert all(0 <= lot < 1 for lot in one)
    for below in (0.1, 0.5, 0.9):
        assert sum(lot < below for lot in one) / 4000 == pytest.approx(below, abs=0.03)
    both = sum(first < 0.5 and second < 0.5 for first, second in zip(one, other, strict=True))
    assert both / 4000 == pytest.approx(0.25, abs=0.03)


def test_the_bound_of_a_draw_is_the_next_lot() -> None:
    waiting = [candidate(number) for number in range(30)]
    drawn, draw = draw_lots(waiting, 5, seed=3, at=NOW)
    lots = sorted(lot_of(one.part_id, 3) for one in waiting)
    assert draw.below == lots[5]
    assert [lot_of(one.part_id, 3) for one in drawn] == lots[:5]
    assert not draw.drew(replace(drawn[0], entered_at="2027-01-01T00:00:00.000Z"))


@pytest.mark.parametrize(
    "words", [{"below": 0.0}, {"below": 1.5}, {"seed": -1}, {"at": NOW.replace(tzinfo=None)}], ids=str
)
def test_what_is_no_draw_is_refused(words: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no draw"):
        replace(Draw(NOW, 1, 0.5), **words)  # type: ignore[arg-type]


# ---------------------------------------------------------------------- what is known

PART = candidate(1)
CASES: dict[str, tuple[list[tuple[Region, str, str]], Truth | None]] = {
    "nobody has said anything": ([], None),
    "good": ([(WholePart(), GOOD, "ada")], Truth.GOOD),
    "a defect": ([(WholePart(), "pits", "ada")], Truth.DEFECTIVE),
    "another defect": ([(WholePart(), "other_defect", "ada")], Truth.DEFECTIVE),
    "two name two defects": ([(WholePart(), "pits", "ada"), (WholePart(), "scratches", "bob")], Truth.DEFECTIVE),
    "two differ": ([(WholePart(), "pits", "ada"), (WholePart(), GOOD, "bob")], Truth.UNCLEAR),
    "nobody can tell": ([(WholePart(), "cannot_be_judged", "ada")], Truth.UNCLEAR),
    "one cannot tell": ([(WholePart(), "cannot_be_judged", "ada"), (WholePart(), "pits", "bob")], Truth.UNCLEAR),
    "a good place": ([(Patch(3, GEOMETRY), GOOD, "ada")], None),
    "a defective place": ([(Patch(3, GEOMETRY), GOOD, "ada"), (Box(1, 1, 2, 2), "pits", "ada")], Truth.DEFECTIVE),
    "the whole is said": ([(Box(1, 1, 2, 2), "pits", "ada"), (WholePart(), GOOD, "ada")], Truth.GOOD),
    "taken back": ([(WholePart(), "withdrawn", "ada")], None),
}


@pytest.mark.parametrize("name", CASES)
def test_what_labels_say_of_a_part(name: str) -> None:
    told, truth = CASES[name]
    labels = [
        Label(InspectionSubject(PART.inspection_id), region, class_name, who, NOW) for region, class_name, who in told
    ]
    assert Truths(labels, GOOD).of(PART) is truth


def test_a_label_of_the_scans_file_is_one_of_the_part() -> None:
    scan = replace(said(PART, "pits"), subject=ScanSubject(PART.sha256, "elsewhere.png"))
    assert Truths([scan], GOOD).of(PART) is Truth.DEFECTIVE
    assert Truths([scan, said(PART, GOOD)], GOOD).of(PART) is Truth.UNCLEAR
    assert Truths([scan], GOOD).of(candidate(2)) is None
