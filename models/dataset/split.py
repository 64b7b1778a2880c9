"""Who goes where: whole groups to training, validation and test, stratified by class, the same for the same seed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from models.dataset.manifest import Split
from models.errors import DatasetError

Shares = tuple[int, int, int]
"""Percent of training, validation and test."""


def parse_shares(text: str) -> Shares:
    """Percent of training, validation and test from `80/20/0`.

    Raises:
        DatasetError: They are not three whole numbers, or do not add up to 100.
    """
    values = [int(part) if part.strip().isdecimal() else -1 for part in text.split("/")]
    if len(values) != len(Split) or min(values) < 0 or sum(values) != 100:
        raise DatasetError("dataset.bad_choice", f"split {text!r}: three whole numbers that make 100, as 80/20/0")
    return values[0], values[1], values[2]


def join_groups(groups: Sequence[int], together: Iterable[Sequence[int]]) -> list[int]:
    """Groups (n,) numbered from 0 in order of appearance, where items that must stay together share theirs.

    Args:
        groups: A group of each item.
        together: Sets of items, for example those with the same bytes.
    """
    parent = {group: group for group in groups}

    def root(group: int) -> int:
        while parent[group] != group:
            group = parent[group] = parent[parent[group]]
        return group

    for items in together:
        for item in items[1:]:
            parent[root(groups[item])] = root(groups[items[0]])
    numbers: dict[int, int] = {}
    return [numbers.setdefault(root(group), len(numbers)) for group in groups]


def same_values(values: Iterable[str]) -> list[list[int]]:
    """Sets of two or more items with the same value, for example the same hash."""
    found: dict[str, list[int]] = defaultdict(list)
    for item, value in enumerate(values):
        found[value].append(item)
    return [items for items in found.values() if len(items) > 1]


def assign_splits(groups: Sequence[int], labels: Sequence[str], shares: Shares, seed: int) -> list[Split]:
    """A split for each item: a group stays whole, and each class is shared out as asked, as near as its groups allow.

    A group counts as the class that most of its items have. Groups are taken in random order, the large ones first;
    each goes where most is missing.

    Args:
        groups: (n,) group of each item.
        labels: (n,) class of each item.
        shares: Percent of training, validation and test.
        seed: Of the order.

    Raises:
        DatasetError: A class has too few groups to be in every split that is asked for.
    """
    members: dict[int, list[str]] = defaultdict(list)
    for group, label in zip(groups, labels, strict=True):
        members[group].append(label)
    strata: dict[str, list[int]] = defaultdict(list)
    for group, own in members.items():
        strata[max(sorted(set(own)), key=own.count)].append(group)
    wanted = [split for split in Split if shares[split]]
    rng = np.random.default_rng(seed)
    chosen: dict[int, Split] = {}
    for label in sorted(strata):
        if len(strata[label]) < len(wanted):
            told = f"class {label} has {len(strata[label])} groups of pictures, and {len(wanted)} splits need one each"
            raise DatasetError("dataset.bad_source", told)
        chosen |= _deal({group: len(members[group]) for group in strata[label]}, shares, wanted, rng)
    return [chosen[group] for group in groups]


def _deal(sizes: dict[int, int], shares: Shares, wanted: Sequence[Split], rng: np.random.Generator) -> dict[int, Split]:
    """Deal groups of one class out; every split gets at least one."""
    order = [list(sizes)[index] for index in rng.permutation(len(sizes))]
    order.sort(key=lambda group: -sizes[group])
    missing = {split: sum(sizes.values()) * shares[split] / 100 for split in wanted}
    empty = set(wanted)
    dealt = {}
    for number, group in enumerate(order):
        open_splits = [split for split in wanted if split in empty] if len(order) - number <= len(empty) else wanted
        split = max(open_splits, key=lambda split: missing[split])
        missing[split] -= sizes[group]
        empty.discard(split)
        dealt[group] = split
    return dealt
