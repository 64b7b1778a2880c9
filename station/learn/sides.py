"""Which parts are learnt from, and which judge what was learnt.

    every part ─ labelled as a whole? ─ no ─▶ learnt from
                          └─ yes ─ its lot ─ below 20 ─▶ held out, judges
                                            below 40 ─▶ a good part: calibrates; a defective one: learnt from
                                            the rest ─▶ learnt from

The lot is the hash of the part's id, so that a part keeps its side whatever is labelled later: what once judged was
never learnt from. Scans of one part, and scans of the same bytes, have one lot.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from models.dataset.cutting import Scan
from models.dataset.said import PASSING, SaidScan
from models.dataset.split import join_groups, same_values
from models.dataset.store import file_sha256

HELD_OUT, CALIBRATES = 20, 40
"""Lots, of 100, below which a part judges, or calibrates if it is good. Chosen: a fifth each."""


@dataclass(frozen=True, slots=True)
class Sides:
    """The scans by what they are for.

    Attributes:
        learnt: Learnt from.
        held_out: Judge; one of each part.
        good: Calibrate; one of each part.
    """

    learnt: tuple[Scan, ...]
    held_out: tuple[SaidScan, ...]
    good: tuple[SaidScan, ...]


def divide(scans: Sequence[Scan], more: Sequence[Scan]) -> Sides:
    """Give every part its side.

    Args:
        scans: What people have labelled.
        more: What is learnt from in any case; a part that is among them, too, does not judge.

    Raises:
        OSError: A scan cannot be read.
    """
    sides: dict[str, list[Scan]] = defaultdict(list)
    known = {name for one in more for name in _names(one)}
    for group in _groups(scans):
        side = "learnt" if known & {name for one in group for name in _names(one)} else _side(group)
        sides[side] += group if side == "learnt" else group[:1]
    held_out, good = ([one for one in sides[side] if isinstance(one, SaidScan)] for side in ("held_out", "good"))
    return Sides((*sides["learnt"], *more), tuple(held_out), tuple(good))


def lot(name: str) -> int:
    """The lot of a part, 0 to 99."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % 100


def _side(group: Sequence[Scan]) -> str:
    classes = {one.said.part if isinstance(one, SaidScan) else -1 for one in group}
    if min(classes) < 0 or len(classes) > 1:
        return "learnt"
    drawn = min(lot(one.part_id or _names(one)[-1]) for one in group)
    if drawn < HELD_OUT:
        return "held_out"
    return "good" if drawn < CALIBRATES and classes == {PASSING} else "learnt"


def _names(scan: Scan) -> tuple[str, ...]:
    """What two scans have in common that must stay on one side: the part, or the bytes."""
    sha256 = file_sha256(scan.image_path) if not hasattr(scan, "sha256") else scan.sha256
    return (sha256,) if scan.part_id is None else (f"part {scan.part_id}", sha256)


def _groups(scans: Sequence[Scan]) -> list[list[Scan]]:
    names = [_names(one) for one in scans]
    number_of = {name: number for number, name in enumerate(dict.fromkeys(one[0] for one in names))}
    joined = join_groups([number_of[one[0]] for one in names], same_values(one[-1] for one in names))
    groups: dict[int, list[Scan]] = defaultdict(list)
    for group, scan in zip(joined, scans, strict=True):
        groups[group].append(scan)
    return list(groups.values())
