"""The history of promotions: one line a decision, only ever added to, and refused when it is not whole.

    history.jsonl   the decisions; each line holds the hash of the one before
    history.head    the seal: how many lines there are, and the hash of the last one

The chain tells when a line was edited, removed, doubled or put in; the seal when the last lines were, or all of them.
Both files are replaced whole, the history first: a power cut leaves at most one line that the seal does not cover. A
version of the station that knows no seal leaves more. They are obeyed, told of, and sealed with the next decision.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from models.manifest import Sha256
from station.core.durable import write_whole
from station.core.errors import ModelError
from station.core.part import ModelIdentity
from station.core.section import Section

HISTORY, HEAD = "history.jsonl", "history.head"


class Entry(Section):
    """One line of the history: from then on another bundle was to be used."""

    at: datetime = Field(..., description="When, UTC.")
    by: str = Field(..., min_length=1, description="Who.")
    action: Literal["promoted", "rolled_back"]
    bundle: str = Field(..., min_length=1, description="Name of the bundle that is used from now on.")
    sha256: Sha256 = Field(..., description="Its manifest's hash.")
    replaces: str = Field(..., min_length=1, description="Name of the bundle that was used before.")
    replaces_sha256: Sha256 = Field(..., description="Its manifest's hash.")
    gate: Annotated[Sha256 | None, Field(description="Hash of the gate's report; None where none was relied on.")]
    reason: str = Field(..., description="Why; never empty where the gate was left out or a bundle was taken back.")
    line_before: Annotated[Sha256 | None, Field(description="Hash of the history's line before; None for the first.")]

    @property
    def names(self) -> tuple[ModelIdentity, ModelIdentity]:
        """The bundle that was used from then on, and the one before."""
        return ModelIdentity(self.bundle, self.sha256), ModelIdentity(self.replaces, self.replaces_sha256)


class Head(Section):
    """The seal."""

    lines: int = Field(..., ge=0, description="How many lines the history has at the least.")
    sha256: Annotated[Sha256 | None, Field(description="Hash of the last of them; None for none.")]


@dataclass(frozen=True, slots=True)
class Chain:
    """A history that is whole.

    Attributes:
        lines: As they are written, without their ends.
        entries: What they say.
        sealed: How many of them the seal covers, from the first on; None without a seal.
    """

    lines: tuple[bytes, ...]
    entries: tuple[Entry, ...]
    sealed: int | None

    @property
    def last(self) -> str | None:
        """Hash of the last line, or None."""
        return _hash(self.lines[-1]) if self.lines else None

    @property
    def unsealed(self) -> int:
        """How many of the last lines no seal covers."""
        return len(self.lines) - (self.sealed or 0)


class History:
    """The history in one folder.

    Args:
        folder: The shelf's.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / HISTORY
        self._head = folder / HEAD

    def read(self, bundles: Collection[Path]) -> Chain:
        """The decisions.

        Args:
            bundles: The folders of the bundles on the shelf, which were promoted some time.

        Raises:
            ModelError: `model.bad_history`; `config.file_failed` where it may not be read.
        """
        head = self._read_head()  # before the lines, which are written first
        lines = self._read_lines()
        chain = Chain(lines, self._entries(lines), None if head is None else min(head.lines, len(lines)))
        if head is not None:
            self._demand_all(head, lines)
        else:
            self._demand_all_named(chain.entries, bundles)
        return chain

    def seal(self, chain: Chain) -> None:
        """Cover every line.

        Raises:
            OSError: The disk failed.
        """
        if chain.sealed != len(chain.lines):
            head = Head(lines=len(chain.lines), sha256=chain.last)
            write_whole(self._head, head.model_dump_json().encode() + b"\n")

    def add(self, chain: Chain, entry: Entry) -> None:
        """Write one more decision and seal it; it is on the disk whole, or not there.

        Raises:
            OSError: The disk failed.
        """
        lines = (*chain.lines, entry.model_dump_json().encode())
        write_whole(self._path, b"".join(line + b"\n" for line in lines))
        self.seal(Chain(lines, (*chain.entries, entry), chain.sealed))

    # ------------------------------------------------------------------ what is not whole

    def _read_head(self) -> Head | None:
        content = self._content(self._head)
        if content is None:
            return None
        try:
            return Head.model_validate_json(content)
        except ValidationError as error:
            raise self._bad(f"{self._head}: {error.errors()[0]['msg']}") from error

    def _read_lines(self) -> tuple[bytes, ...]:
        content = self._content(self._path)
        if content is None:
            return ()
        *lines, rest = content.split(b"\n")
        if rest:
            what = "a line was cut off, or something was written behind the last one"
            raise self._bad(f"{self._path}: its last {len(rest)} bytes are no whole line: {what}")
        if not lines:
            raise self._bad(f"{self._path} is empty")
        return tuple(lines)

    def _entries(self, lines: tuple[bytes, ...]) -> tuple[Entry, ...]:
        entries: list[Entry] = []
        before: str | None = None
        for number, line in enumerate(lines, 1):
            try:
                entry = Entry.model_validate_json(line)
            except ValidationError as error:
                raise self._bad(f"{self._path}:{number}: {error.errors()[0]['msg']}") from error
            if entry.line_before != before:
                raise self._bad(f"{self._path}:{number}: a line before it was changed, put in or removed")
            before = _hash(line)
            entries.append(entry)
        return tuple(entries)

    def _demand_all(self, head: Head, lines: tuple[bytes, ...]) -> None:
        if len(lines) < head.lines:
            missing = f"{head.lines - len(lines)} of its {head.lines} lines are missing at the end"
            raise self._bad(f"{self._path}: {missing}")
        if head.lines and _hash(lines[head.lines - 1]) != head.sha256:
            raise self._bad(f"{self._path}:{head.lines}: it is not the line that {self._head.name} seals")

    def _demand_all_named(self, entries: tuple[Entry, ...], bundles: Collection[Path]) -> None:
        """Without a seal the bundles on the shelf are the only witness of lines that are gone."""
        named = {place_name(identity) for entry in entries for identity in entry.names}
        if strange := [path.name for path in bundles if path.name not in named]:
            raise self._bad(f"{self._path}: no line of it names {', '.join(strange)}, which lies on the shelf")

    def _content(self, path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            if path.is_symlink():
                raise self._bad(f"{path} is a link to nothing") from error
            return None
        except PermissionError as error:
            raise ModelError("config.file_failed", f"{path}: {error.strerror}") from error
        except OSError as error:
            raise self._bad(f"{path}: {error.strerror}") from error

    def _bad(self, what: str) -> ModelError:
        return ModelError("model.bad_history", what)


def place_name(identity: ModelIdentity) -> str:
    """The name of a bundle's folder on the shelf."""
    return f"{identity.name}-{identity.sha256[:12]}"


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
