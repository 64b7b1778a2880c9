"""An archive, judged again: what is done already is left, the rest is dealt out, and its rows are kept as they come."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path

from models.release.shelf import chosen_bundle
from station.core.settings import Settings
from station.host.bundles import find_shelf
from station.offline.archive.bucket import Address, Bucket, scans_of
from station.offline.archive.crew import Crew, judged_by
from station.offline.archive.judging import Chunk, Order, order_for, pieces_of, unread
from station.offline.archive.results import Key, Results, key_of, opened
from station.offline.archive.scans import Scan, readable, scans_in
from station.offline.inspect import NotInspected, Wanted

SCANS_PER_CHUNK = 16
"""Some tenths of a second of a core: long beside what it takes to deal them out, short beside what a killed worker
loses."""

Tell = Callable[[int, int], None]
"""Told how many scans there are done, and in all."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What shall be judged again.

    Attributes:
        source: A folder or file of which `station.offline.archive.scans` tells, or what is in a store, as
            `s3://BUCKET/BEGINNING`.
        model: A bundle's name or folder, or `promoted`.
        out: Folder of the results, of any cells and networks.
        cell: Name of the cell that the scans are of.
        rows_per_file: So many rows are written in one go, at the most.
    """

    source: str
    model: str
    out: Path
    cell: str
    rows_per_file: int = 1000


@dataclass(slots=True)
class Outcome:
    """What became of the scans of a source.

    Attributes:
        model: The network, as the folders of its results are named.
        scans: All there are, as far as they are known.
        already: Of them judged by this network before.
        same: Of them the same, byte for byte, as another one of the source, and judged as that one.
        left_out: Of them announced as a part type that the network is not for, by type.
        rows: Rows that came back, each for a scan; what an earlier one says of it already is not kept twice.
        errors: Of them those of scans that could not be judged, by the fault's code.
    """

    model: str
    scans: int = 0
    already: int = 0
    same: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def settled(self) -> int:
        """Scans for which there is nothing left to do."""
        return self.already + self.same + self.left_out.total() + self.rows


def inspect_again(
    asked: Asked, settings: Settings, data: Path | None, threads: int,
    crew_for: Callable[[Order], AbstractContextManager[Crew]], told: Tell = lambda _done, _all: None,
) -> Outcome:  # fmt: skip
    """Judge every scan of a source that the network has not judged yet; blocking.

    Args:
        asked: What shall be judged, and where to.
        settings: How is judged.
        data: The station's data folder, for its promoted bundles; None for the configured one.
        threads: Of the engine, in each worker.
        crew_for: Brings the workers together; not called where there is nothing to do.
        told: Told how far it is.

    Raises:
        ArchiveError: The results are of other rules, in use or unreadable, the source's store cannot be used, or no
            worker can judge.
        ModelError: The bundle cannot be used, here or by a worker, or it is for none of the part types.
        RecordError: The source's records cannot be read.
        RecordingError: There is no such source, or nothing in it that could be a scan.
    """
    bundle = chosen_bundle(asked.model, find_shelf(settings, data))
    address = Address.of(asked.source)
    bucket = None if address is None else Bucket(address.bucket, settings.central.store)
    order = order_for(settings, bundle, threads, address and address.bucket)

    def scans() -> Iterator[Scan]:
        if address is not None and bucket is not None:
            return scans_of(bucket, address, settings)
        return scans_in(Path(asked.source).absolute(), settings)  # so that it is the same one in whatever folder

    count = sum(1 for _ in scans())  # nothing is held of them, there may be millions
    with opened(asked.out, settings):
        results = Results(asked.out, asked.cell, order.model, asked.rows_per_file)
        outcome = Outcome(results.model, count)
        chunks = _chunks(_to_do(scans(), settings, order, results, bucket, outcome))
        first = next(chunks, None)
        told(outcome.settled, outcome.scans)
        if first is None:
            return outcome
        try:
            with crew_for(order) as crew:
                for row in judged_by(crew, chain([first], chunks), order.model.sha256):
                    results.add(row)
                    outcome.rows += 1
                    outcome.errors.update([row["error"]] if row.get("error") else [])
                    told(outcome.settled, outcome.scans)
        finally:
            results.flush()
    return outcome


def _to_do(
    scans: Iterator[Scan], settings: Settings, order: Order, results: Results, bucket: Bucket | None, outcome: Outcome
) -> Iterator[Scan]:
    """The scans that are to be judged, each hashed; what becomes of the others is counted."""
    done, seen = results.done(), set[Key]()
    for number, one in enumerate(scans, start=1):
        outcome.scans = max(outcome.scans, number)  # a station may be at work there
        announced = one.wanted.part_type if isinstance(one.wanted, Wanted) else None
        if announced in settings.part_types and announced not in order.settings.part_types:
            outcome.left_out[str(announced)] += 1
            continue
        scan = _hashed(one, bucket)
        problem = readable(str(scan.wanted.error)) if isinstance(scan.wanted, NotInspected) else None
        key = key_of(scan.sha256, scan.place, problem)
        if key in done:
            outcome.already += 1
        elif key in seen:
            outcome.same += 1
        else:
            if not results.has_failed(scan.place):  # else another one that is the same may stand in for it
                seen.add(key)
            yield scan


def _hashed(scan: Scan, bucket: Bucket | None) -> Scan:
    if scan.sha256 is not None or isinstance(scan.wanted, NotInspected):
        return scan
    digest = hashlib.sha256()
    try:
        for piece in pieces_of(scan, bucket):
            digest.update(piece)
    except OSError as error:
        return replace(scan, wanted=unread(scan, error))
    return replace(scan, sha256=digest.hexdigest())


def _chunks(scans: Iterator[Scan]) -> Iterator[Chunk]:
    while some := tuple(islice(scans, SCANS_PER_CHUNK)):
        yield Chunk(some)
