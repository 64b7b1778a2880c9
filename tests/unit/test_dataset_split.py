"""Splits: whole groups, every class shared out, the same for the same seed."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.dataset.split import assign_splits, join_groups, parse_shares, same_values
from models.dataset.store import Split
from models.errors import DatasetError


def test_classes_are_shared_out_exactly_where_groups_are_single() -> None:
    labels = ["a"] * 100 + ["b"] * 40 + ["c"] * 10
    splits = assign_splits(range(150), labels, (70, 20, 10), seed=3)
    found = Counter(zip(labels, splits, strict=True))
    for label, size in Counter(labels).items():
        counts = [found[label, split] for split in Split]
        assert counts == [size * 7 // 10, size * 2 // 10, size // 10]


@given(
    sizes=st.lists(st.integers(1, 9), min_size=6, max_size=40),
    seed=st.integers(0, 9),
    shares=st.sampled_from([(80, 20, 0), (60, 20, 20)]),
)
def test_a_group_is_never_divided_and_every_split_has_every_class(
    sizes: list[int], seed: int, shares: tuple[int, int, int]
) -> None:
    groups = [group for group, size in enumerate(sizes) for _ in range(size)]
    labels = ["ab"[group % 2] for group in groups]
    splits = assign_splits(groups, labels, shares, seed)
    assert len(set(zip(groups, splits, strict=True))) == len(sizes)
    wanted = {split for split in Split if shares[split]}
    for label in "ab":
        assert {split for own, split in zip(labels, splits, strict=True) if own == label} == wanted


def test_the_seed_decides() -> None:
    first, again, other = (assign_splits(range(60), ["a"] * 60, (80, 20, 0), seed) for seed in (1, 1, 2))
    assert first == again != other


def test_a_class_of_too_few_groups_is_named() -> None:
    with pytest.raises(DatasetError) as caught:
        assign_splits([0, 1, 2, 3, 4, 4], ["a", "a", "a", "a", "b", "b"], (80, 20, 0), 1)
    assert caught.value.code == "dataset.bad_source"
    assert "class b has 1 groups" in caught.value.detail


def test_items_that_belong_together_share_a_group() -> None:
    same = same_values(["x", "y", "x", "z", "w", "z"])
    assert same == [[0, 2], [3, 5]]
    assert join_groups([10, 11, 12, 12, 13, 14], same) == [0, 1, 0, 0, 2, 0]
    assert join_groups(range(4), []) == [0, 1, 2, 3]


@pytest.mark.parametrize("text", ["80/20", "80/30/0", "80/20/x", "-10/110/0", "", "0.8/0.2/0"])
def test_shares_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(DatasetError):
        parse_shares(text)


def test_shares_are_percent() -> None:
    assert parse_shares("70/15/15") == (70, 15, 15)
    assert parse_shares("0/0/100") == (0, 0, 100)
