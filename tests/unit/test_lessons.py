"""What an epoch is made of where parts alone have labels: whole bags, then what the network takes them for."""

import numpy as np
import pytest

from models.training.data import TrainingData
from models.training.draw import draw_epoch
from models.training.labels import NO_PARTS, OPEN
from models.training.lesson import bags_of, deal
from models.training.plan import Plan, make_plan
from models.training.pseudo import pseudo_labels, taught_labels
from tests.unit.planted import GOOD, PATCHES, PLANTED, planted_data, planted_parts


def plan(**choices: object) -> Plan:
    return make_plan(**{"network": "sca-cnn", "phases": [{"epochs": 4}], "batch": 24, **choices})


def test_a_bag_is_the_whole_of_a_defective_part() -> None:
    data = planted_data()
    bags = bags_of(data)
    assert len(bags) == 8
    for bag in bags:
        assert len(bag) == PATCHES
        assert len(set(data.parts.numbers[bag].tolist())) == 1
        assert (data.parts.labels[bag] != GOOD).all()


def test_a_part_whose_defect_somebody_marked_is_no_bag() -> None:
    data = planted_data()
    data.labels[2] = data.parts.labels[2]
    data.labels[2 * PATCHES + 1] = GOOD
    numbers = [int(data.parts.numbers[bag[0]]) for bag in bags_of(data)]
    assert 0 not in numbers
    assert [len(bag) for bag in bags_of(data)].count(PATCHES - 1) == 1


@pytest.mark.parametrize("draw", ["even", "whole"])
@pytest.mark.parametrize("batch", [4, 24, 64])
def test_no_step_breaks_a_bag_or_exceeds_the_batch_but_for_one_bag(draw: str, batch: int) -> None:
    data = planted_data()
    lesson = deal(plan(draw=draw, batch=batch), data, data.labels, 0)
    open_ = lesson.labels == OPEN
    assert lesson.ends[-1] == len(lesson.images)
    for step in range(lesson.steps):
        images = lesson.step(step)
        _, sizes = np.unique(data.parts.numbers[images[open_[images]]], return_counts=True)
        assert (sizes % PATCHES == 0).all()
        assert len(images) <= max(batch, PATCHES)


def test_classes_have_their_shares_of_an_even_draw_in_bags_and_single_images() -> None:
    data = planted_data()
    images = deal(plan(items_per_epoch=160), data, data.labels, 0).images
    drawn = np.where(data.labels[images] == OPEN, data.parts.labels[images], data.labels[images])
    assert np.bincount(drawn).tolist() == [40, 80, 40]
    assert set(images.tolist()) <= set(data.train.tolist())


def test_bags_lie_evenly_among_single_images() -> None:
    data = planted_data()
    lesson = deal(plan(items_per_epoch=160, batch=32), data, data.labels, 0)
    in_bags = [int((lesson.labels[lesson.step(step)] == OPEN).sum()) for step in range(lesson.steps)]
    assert min(in_bags[:-1]) >= PATCHES
    assert max(in_bags) <= 3 * PATCHES


def test_a_lesson_follows_from_seed_and_epoch_alone() -> None:
    data = planted_data()
    first, again, other = (deal(plan(), data, data.labels, epoch).images for epoch in (1, 1, 0))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_images_with_labels_are_drawn_as_ever_and_cut_into_even_steps() -> None:
    images, labels, _ = planted_parts(4)
    everything = np.arange(len(images))
    data = TrainingData(images, labels, everything, everything[:0], planted_data().origin, NO_PARTS)
    lesson = deal(plan(batch=10), data, labels, 3)
    assert np.array_equal(lesson.images, draw_epoch(plan(), labels, everything, len(PLANTED), GOOD, 3))
    assert lesson.ends.tolist() == [10, 20, 30, 40, 50, 60, 70, 80, 90, 96]


def test_after_the_bags_the_network_is_asked_once_and_only_for_what_nobody_labelled() -> None:
    data = planted_data()
    asked: list[np.ndarray] = []

    def answers(images: np.ndarray) -> np.ndarray:
        asked.append(images)
        return np.zeros((len(images), len(PLANTED)), np.float32)

    assert taught_labels(plan(), data, 1, answers) is data.labels
    assert not asked
    taught = taught_labels(plan(), data, 2, answers)
    assert len(asked) == 1
    assert np.array_equal(asked[0], data.train[data.labels[data.train] == OPEN])
    assert np.array_equal(taught[data.labels != OPEN], data.labels[data.labels != OPEN])
    lesson = deal(plan(), data, taught, 2)
    assert (taught[lesson.images] != OPEN).all()


def logits_of(surplus: list[float], own: int) -> np.ndarray:
    logits = np.zeros((len(surplus), len(PLANTED)), np.float32)
    logits[:, own] = surplus
    return logits


@pytest.mark.parametrize(
    ("surplus", "taken"),
    [
        ([4, -5, -5, -5, 4, -5, -5, -5], [0, 1, 1, 1, 0, 1, 1, 1]),
        ([-5, -9, -9, -9, -9, -9, -9, -9], [0, 1, 1, 1, 1, 1, 1, 1]),
        ([3, -1.5, -9, -9, -9, -9, -9, -9], [0, OPEN, 1, 1, 1, 1, 1, 1]),
        ([-3, -3, -3, -3, -3, -3, -3, -3], [0, OPEN, OPEN, OPEN, OPEN, OPEN, OPEN, OPEN]),
        ([200, -200, -200, -200, -200, -200, -200, -200], [0, 1, 1, 1, 1, 1, 1, 1]),
    ],
    ids=[
        "two show it",
        "the likeliest shows it",
        "an unclear one is left out",
        "nothing is clear",
        "sure beyond digits",
    ],
)
def test_an_image_is_taken_for_what_it_is_likely_to_show_given_its_bag(surplus: list[float], taken: list[int]) -> None:
    data = planted_data()
    assert pseudo_labels(data, np.arange(PATCHES), logits_of(surplus, 0), GOOD).tolist() == taken


def test_nothing_is_forced_on_the_rest_of_a_part_whose_defect_somebody_marked() -> None:
    data = planted_data()
    data.labels[0] = 0
    rest = np.arange(1, PATCHES)
    taken = pseudo_labels(data, rest, logits_of([-5, -5, -5, 4, -5, -5, -1], 0), GOOD)
    assert taken.tolist() == [1, 1, 1, 0, 1, 1, OPEN]


def test_an_epoch_too_short_for_a_bag_of_each_class_draws_some_of_them() -> None:
    data = planted_data()
    drawn: set[int] = set()
    for epoch in range(2):
        images = deal(plan(items_per_epoch=20, bag_share=1.0), data, data.labels, epoch).images
        drawn |= set(data.parts.labels[images[data.labels[images] == OPEN]].tolist())
    assert drawn <= {0, 2}
