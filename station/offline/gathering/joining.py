"""Scans from several folders, each once: what is said of one scan in several places is put together.

Two folders that say different things of one part, or of one patch, are refused: one of them is wrong.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from models.dataset.cutting import Scan
from models.dataset.looking import Given
from models.dataset.manifest import Split
from models.dataset.said import PASSING, Said, SaidScan, SortedPatches
from models.dataset.scans import LabelledScan, listing
from models.errors import DatasetError
from station.offline.gathering.terms import Terms
from station.offline.gathering.words import concluded


def join(given: Sequence[Given], terms: Terms) -> list[Given]:
    """The scans in their order, those of the same bytes that are for the same split joined into one.

    Where nobody said the class of a part it is that of the places on it. A scan whose truth is known is left as it is:
    its pixels are held against the others' when it is cut.

    Raises:
        DatasetError: What is said of one scan contradicts itself.
    """
    joined: dict[tuple[str, Split | None] | int, Given] = {}
    wrong: list[str] = []
    for number, one in enumerate(given):
        key = number if isinstance(one.scan, LabelledScan) else (one.scan.sha256, one.split)
        other = joined.get(key)
        if other is None or isinstance(other.scan, LabelledScan) or isinstance(one.scan, LabelledScan):
            joined[key] = one
        elif problem := _contradiction(other.scan.said, one.scan.said, terms):
            wrong.append(f"{other.scan.name} and {one.scan.name}: {problem}")
        elif None in {other.scan.part_id, one.scan.part_id} or other.scan.part_id == one.scan.part_id:
            joined[key] = replace(one, scan=_both(other.scan, one.scan))
        else:
            joined[number] = one  # of two parts, which the bytes hold together in one split
    if wrong:
        raise DatasetError("dataset.bad_source", f"the same scan with two labels: {listing(wrong)}")
    return [_concluded(one, terms) for one in joined.values()]


def _concluded(given: Given, terms: Terms) -> Given:
    """The same with the class of the part, where that follows from its places."""
    if not isinstance(given.scan, SaidScan):
        return given
    return replace(given, scan=replace(given.scan, said=concluded(given.scan.said, terms)))


def _both(one: SaidScan | SortedPatches, other: SaidScan | SortedPatches) -> Scan:
    said = _joined(one.said, other.said)
    if isinstance(one, SortedPatches) and isinstance(other, SortedPatches):
        return replace(one, said=said, files={**other.files, **one.files})
    whole = one if isinstance(one, SaidScan) else other
    return replace(whole, said=said)


def _joined(one: Said, other: Said) -> Said:
    part = one.part if one.part >= 0 else other.part
    marks = tuple(dict.fromkeys((*one.marks, *other.marks)))
    words = sorted({one.sha256 or "", other.sha256 or ""} - {""})
    sha256 = hashlib.sha256("\n".join(words).encode()).hexdigest() if len(words) > 1 else one.sha256 or other.sha256
    return Said(part, {**one.patches, **other.patches}, marks, sha256)


def _contradiction(one: Said, other: Said, terms: Terms) -> str:
    """How two that speak of one scan differ; nothing where they do not."""
    if min(one.part, other.part) >= 0 and one.part != other.part:
        return f"the part is {terms.name(one.part)}, and {terms.name(other.part)}"
    both = one.patches.keys() & other.patches.keys()
    if differ := sorted(patch for patch in both if one.patches[patch] != other.patches[patch]):
        return f"patch {', '.join(map(str, differ))}"
    if PASSING in {one.part, other.part} and (defects := (one.seen | other.seen) - {PASSING}):
        return f"the part is {terms.name(PASSING)}, and shows {', '.join(map(terms.name, sorted(defects)))}"
    return ""
