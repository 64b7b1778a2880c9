"""Rates from parts that were drawn by lot: true whatever else was labelled, with exact limits."""

from collections.abc import Iterable, Sequence

import numpy as np
import pytest

from models.evaluation.figures.rates import clopper_pearson
from station.core.lot import lot_of
from station.labels.picking.candidate import Candidate
from station.labels.picking.choosing import choose
from station.labels.picking.lot import Draw, draw_lots
from station.labels.picking.rates import AuditRate, rates, weighted_limits
from station.labels.picking.sample import Sample, Way, sample
from station.labels.picking.truth import Truths
from tests.picking import GOOD, after, candidate, said

NOW = after(1e5)


def found(archived: Sequence[Candidate], labelled: Iterable[tuple[Candidate, str]], draws: Sequence[Draw]) -> Sample:
    return sample(archived, Truths([said(one, name) for one, name in labelled], GOOD), draws, GOOD)


def passed(archived: Sequence[Candidate], labelled: Iterable[tuple[Candidate, str]], *draws: Draw) -> AuditRate:
    return rates(found(archived, labelled, draws))[0]


# ---------------------------------------------------------------------- weighted limits


def test_with_equal_weights_the_limits_are_those_of_clopper_and_pearson() -> None:
    for weight in (1.0, 3.7, 1 / 0.3):
        for events, trials in ((0, 30), (4, 20), (1, 10)):
            share, lower, upper = weighted_limits([weight] * trials, [weight] * events)
            assert share == pytest.approx(events / trials)
            assert (lower, upper) == clopper_pearson(events, trials, 0.95)


def test_unequal_weights_are_worth_fewer_parts() -> None:
    share, lower, upper = weighted_limits([1.0] * 10 + [9.0] * 10, [9.0])
    assert share == pytest.approx(0.09)
    worth = 100**2 // (10 + 810)  # 12 of 20
    assert (lower, upper) == (clopper_pearson(1, worth, 0.95)[0], clopper_pearson(2, worth, 0.95)[1])
    assert weighted_limits([], []) == (None, 0.0, 1.0)


# ---------------------------------------------------------------------- what counts


def test_only_what_was_drawn_counts_and_by_the_way_it_went() -> None:
    ways = [(GOOD, "pits"), ("pits", GOOD), ("review", GOOD)]
    archived = [candidate(number, ways[number % 3][0]) for number in range(90)]
    drawn, draw = draw_lots(archived, 30, seed=1, at=NOW)
    asked = [one for one in archived if one not in drawn][:40]
    wrong = dict(ways)
    labelled = [(one, one.verdict if one.verdict != "review" else "pits") for one in drawn]
    labelled += [(one, wrong[one.verdict]) for one in asked]  # labelled for another reason, all wrong
    rows = rates(found(archived, labelled, [draw]))
    assert [row.way for row in rows] == [Way.PASSED, Way.STOPPED, Way.REVIEW]
    assert sum(row.trials for row in rows) == 30
    assert [row.events for row in rows] == [0, 0, 0]
    assert [row.archived for row in rows] == [30, 30, 30]
    stopped = next(one for one in drawn if one.verdict == "pits")
    changed = [(one, GOOD if one is stopped else name) for one, name in labelled]
    assert [row.events for row in rates(found(archived, changed, [draw]))] == [0, 1, 0]


def test_what_comes_after_the_first_that_waits_does_not_count() -> None:
    archived = [candidate(number) for number in range(60)]
    drawn, draw = draw_lots(archived, 20, seed=1, at=NOW)
    labelled = [(one, GOOD) for number, one in enumerate(drawn) if number != 12]
    sampled = found(archived, labelled, [draw])
    assert (len(sampled.drawn), sampled.waiting) == (12, 1)
    assert len(found(archived, [*labelled, (drawn[12], GOOD)], [draw]).drawn) == 20


def test_what_nobody_can_tell_counts_on_neither_side() -> None:
    archived = [candidate(number) for number in range(60)]
    drawn, draw = draw_lots(archived, 20, seed=1, at=NOW)
    labelled = [(one, "cannot_be_judged" if number == 5 else GOOD) for number, one in enumerate(drawn)]
    row = passed(archived, labelled, draw)
    assert (row.trials, row.unclear, row.events) == (19, 1, 0)


def test_parts_that_came_in_later_are_drawn_as_readily_and_weighed() -> None:
    before = [candidate(number) for number in range(100)]
    drawn, first = draw_lots(before, 50, seed=1, at=after(100))
    later = [candidate(number) for number in range(100, 200)]
    waiting = [one for one in before if one not in drawn] + later
    more, second = draw_lots(waiting, 10, seed=1, at=after(200))
    assert set(more) <= set(later)  # the lowest lots of those that have not been drawn
    sampled = found(before + later, [(one, GOOD) for one in (*drawn, *more)], [first, second])
    assert len(sampled.drawn) == 60
    assert {round(one.weight, 9) for one in sampled.drawn} == {round(1 / first.below, 9), round(1 / second.below, 9)}
    assert sum(one.weight for one in sampled.drawn) == pytest.approx(200, rel=0.25)


def test_two_seeds_are_two_chances() -> None:
    archived = [candidate(number) for number in range(100)]
    drawn = [draw_lots(archived, 30, seed=seed, at=NOW) for seed in (1, 2)]
    labelled = {one.part_id: one for parts, _ in drawn for one in parts}
    sampled = found(archived, [(one, GOOD) for one in labelled.values()], [draw for _, draw in drawn])
    assert len(sampled.drawn) == len(labelled)
    chance = 1 - (1 - drawn[0][1].below) * (1 - drawn[1][1].below)
    assert sampled.drawn[0].weight == pytest.approx(1 / chance)


# ---------------------------------------------------------------------- true


def test_rates_are_true_although_defects_are_labelled_first() -> None:
    """Parts come in, the unsure and half of the escapes are labelled as they are found, and some are drawn by lot."""
    estimates, naive, inside = [], [], []
    truth = 0.1
    for seed in range(120):
        rng = np.random.default_rng(seed)
        defective = rng.permutation(300) < 300 * truth
        archived = [
            candidate(number, row=(0.55, 0.45) if defective[number] and rng.random() < 0.7 else (0.9, 0.1))
            for number in range(300)
        ]
        names = {one.part_id: "pits" if bad else GOOD for one, bad in zip(archived, defective, strict=True)}
        labelled = {one.part_id: one for one in archived if names[one.part_id] == "pits" and rng.random() < 0.5}
        draws = []
        for round_number in (1, 2):
            there = archived[: 150 * round_number]
            at = after(150 * round_number)
            choice = choose([one for one in there if one.part_id not in labelled], 60, seed=seed, at=at)
            assert choice.draw is not None
            draws.append(choice.draw)
            labelled |= {pick.candidate.part_id: pick.candidate for pick in choice.picks}
        row = passed(archived, [(one, names[name]) for name, one in labelled.items()], *draws)
        estimates.append(row.share or 0.0)
        inside.append(row.lower <= truth <= row.upper)
        naive.append(np.mean([names[name] == "pits" for name in labelled]))
    assert np.mean(naive) > 1.8 * truth
    assert np.mean(estimates) == pytest.approx(truth, abs=4 * np.std(estimates) / np.sqrt(len(estimates)))
    assert np.mean(inside) >= 0.92


# ---------------------------------------------------------------------- told


def row(events: int, trials: int, archived: int = 500) -> AuditRate:
    share, lower, upper = weighted_limits([1.0] * trials, [1.0] * events)
    return AuditRate(Way.PASSED, archived, 0, events, trials, share, lower, upper)


@pytest.mark.parametrize(
    ("counted", "words"),
    [
        (row(0, 30), "0 found in 30: at most 3/30 = 10.0 %"),
        (row(0, 2), "too few to say anything"),
        (row(0, 0), "too few to say anything"),
        (row(2, 30), "2 found in 30"),
        (row(0, 0, 0), "records.archive"),
    ],
)
def test_what_a_small_sample_says_is_told_in_words(counted: AuditRate, words: str) -> None:
    assert words in counted.told


def test_three_in_n_is_never_less_than_the_exact_limit_of_95_percent() -> None:
    for trials in range(4, 400):
        assert 1 - 0.05 ** (1 / trials) <= 3 / trials


def test_a_part_whose_lot_is_its_own_bound_is_not_drawn() -> None:
    one = candidate(1)
    assert not Draw(NOW, 1, lot_of(one.part_id, 1)).drew(one)
