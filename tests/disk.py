"""A disk that notes what a loss of power could take: what is renamed before it is synced, and names that never are."""

import os
from pathlib import Path

import pytest


class Disk:
    """Looks on at every sync and every rename of this process.

    Attributes:
        put: What was put in its place, in order.
        syncs: What was synced, in order.
        torn: What bore its name while its content, or that of something in it, was not on the disk.
        nameless: What was put in a place whose folder was not synced since.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.put: list[Path] = []
        self.syncs: list[Path] = []
        self.torn: list[Path] = []
        self.nameless: list[Path] = []
        self._synced: dict[Path, object] = {}
        self._fsync, self._rename = os.fsync, os.rename
        monkeypatch.setattr(os, "fsync", self._sync)
        monkeypatch.setattr(os, "rename", self._move)
        monkeypatch.setattr(os, "replace", self._move)

    def _sync(self, descriptor: int) -> None:
        self._fsync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        self.syncs.append(path)
        self._synced[path] = _content(path)
        self.nameless = [place for place in self.nameless if place.parent != path]

    def _move(self, source: Path | str, target: Path | str) -> None:
        staged, place = Path(source).resolve(), Path(target).resolve()
        every = (staged, *staged.rglob("*"))
        self.torn += [place for path in every if self._synced.get(path) != _content(path)]
        self._rename(source, target)
        self._synced |= {place / path.relative_to(staged): _content(place / path.relative_to(staged)) for path in every}
        self.put.append(place)
        self.nameless.append(place)

    def holds(self, *places: Path) -> bool:
        """Whether all of these were put there whole and would still be there after a loss of power."""
        return {place.resolve() for place in places} <= set(self.put) and not self.torn and not self.nameless


def _content(path: Path) -> object:
    return sorted(one.name for one in path.iterdir()) if path.is_dir() else path.read_bytes()
