"""The rows on disk: Parquet below one folder, in folders of a date, a cell and a network each.

    RESULTS/date=2026-05-01/cell=line-1/model=NAME-HASH/rows-….parquet
    RESULTS/_judged_by.json    the rules by which all of them were judged, whatever the network
    RESULTS/.lock              held by the inspection that is at work

A file appears with all of its rows or not at all, so what is there after a loss of power is whole, and what was judged
since is judged again. A network's hash and a scan's hash name a row; what is wrong with a source, and with no scan of
it whose hash is known, is named by its file and its message. A scan of which there is nothing but an error that its
content had no part in (`UNJUDGED`) is judged the next time; then it has two rows.
"""

import fcntl
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from models.errors import ArchiveError
from models.release.history import place_name
from station.core.durable import make_folder, staged_file, write_whole
from station.core.part import ModelIdentity
from station.core.settings import Settings
from station.offline.archive.judging import UNJUDGED, Row

RULES, LOCK = "_judged_by.json", ".lock"
LONGEST_S = 30.0
"""The first row that comes so long after the last ones were written is written at once, with all that waits."""

_TEXTS = (
    "scan_sha256", "file", "part_id", "inspection_id", "entered_at", "announced_type", "recorded_verdict",
    "recorded_reason", "recorded_model_sha256", "model_sha256", "engine", "part_type", "recipe_sha256", "verdict",
    "algorithm1", "reason", "detail", "defects", "light", "novelty", "error", "message",
)  # fmt: skip
_OTHERS = {
    "recorded_confidence": pa.float64(),
    "recorded_passes": pa.bool_(),
    "passes": pa.bool_(),
    "confidence": pa.float64(),
    "deciding_patch": pa.int32(),
    "defect_patches": pa.int32(),
    "classes": pa.list_(pa.string()),
    "probabilities": pa.list_(pa.float32()),
    "roi_left": pa.int32(),
    "roi_right": pa.int32(),
    "scan_valid": pa.bool_(),
    "screened": pa.list_(pa.int32()),
}
COLUMNS = pa.schema([*((name, pa.string()) for name in _TEXTS), *_OTHERS.items()])
"""What is in a file; `probabilities` has a number for each of `classes` for each patch, one patch after the other."""
FOLDERS = pa.schema([(name, pa.string()) for name in ("date", "cell", "model")])
"""What the names of the folders tell beside it."""

Key = bytes | str
"""What names a scan: its hash, or what is known of it without."""

RULING = (
    "classes", "places", "review", "crop", "turn", "light", "decision", "novelty", "geometry", "part_types",
)  # fmt: skip
"""Tables of the configuration by which a scan is judged."""
RULING_OF_MODEL = ("engine", "precision", "screener")


def key_of(sha256: str | None, file: str, message: str | None) -> Key:
    """What names a scan among those of one network."""
    return bytes.fromhex(sha256) if sha256 is not None else f"{file}\n{message}"


def rules_of(settings: Settings) -> dict[str, Any]:
    """All that the configuration says of how a scan is judged, but the network."""
    document = settings.model_dump(mode="json", include={*RULING, "model", "camera"})
    model, camera = document.pop("model"), document.pop("camera")
    for kind in document["part_types"].values():
        kind.pop("bundle", None)
    return {**document, "model": {name: model[name] for name in RULING_OF_MODEL}, "mm_per_px": camera["mm_per_px"]}


class Results:
    """The rows of one cell and one network, while they come.

    Attributes:
        model: The network, as its folders are named.

    Args:
        folder: Of the results; of all cells and networks.
        cell: Name of the cell.
        model: The network.
        rows_per_file: So many rows are written in one go, at the most.
    """

    def __init__(self, folder: Path, cell: str, model: ModelIdentity, rows_per_file: int) -> None:
        self._folder = folder
        self.model = place_name(model)
        self._sha256 = model.sha256
        self._inner = f"cell={quote(cell, safe='')}/model={quote(self.model, safe='')}"
        self._rows_per_file = rows_per_file
        self._waiting: dict[str, list[Row]] = {}
        self._failed = dict[str, set[str]]()
        self._since = time.monotonic()

    def done(self) -> set[Key]:
        """What names the scans that this network has judged already; what was said of others is not written again.

        Raises:
            ArchiveError: A file cannot be read.
        """
        columns = ["scan_sha256", "file", "message", "error"]
        chosen = (ds.field("model") == self.model) & (ds.field("model_sha256") == self._sha256)
        found = set[Key]()
        for row in read_rows(self._folder, columns, chosen):
            if row["error"] in UNJUDGED:
                self._failed.setdefault(row["file"], set()).add(row["error"])
            else:
                found.add(key_of(row["scan_sha256"], row["file"], row["message"]))
        return found

    def has_failed(self, place: str) -> bool:
        """Whether the scan at this place could not be judged by an earlier inspection; `done` has found that out."""
        return place in self._failed

    def add(self, row: Row) -> None:
        """Take a row in.

        It is on the disk when there are enough of them, with the first that comes after half a minute, or with `flush`.
        What an earlier inspection says of the scan already is not written again.

        Raises:
            ArchiveError: The disk does not take it.
        """
        if row.get("error") in self._failed.get(row["file"], ()):
            return
        row = dict(row)
        self._waiting.setdefault(row.pop("date"), []).append(row)
        waiting = sum(map(len, self._waiting.values()))
        if waiting >= self._rows_per_file or time.monotonic() - self._since >= LONGEST_S:
            self.flush()

    def flush(self) -> None:
        """Have all that was taken in on the disk.

        Raises:
            ArchiveError: The disk does not take it.
        """
        for date in list(self._waiting):
            folder = self._folder / f"date={date}" / self._inner
            table = pa.Table.from_pylist(self._waiting[date], COLUMNS)
            try:
                make_folder(folder)
                with staged_file(folder / f"rows-{uuid.uuid4().hex}.parquet") as file:
                    pq.write_table(table, file)
            except OSError as error:
                raise ArchiveError("archive.bad_results", f"{folder}: {error.strerror or error}") from error
            del self._waiting[date]
        self._since = time.monotonic()


@contextmanager
def opened(folder: Path, settings: Settings) -> Iterator[None]:
    """While in this context no other inspection writes into a folder of results, and all rows are of the same rules.

    Raises:
        ArchiveError: Another one does, the rows there were judged by other rules, or the disk does not take it.
    """
    try:
        make_folder(folder)
        lock = (folder / LOCK).open("w")
    except OSError as error:
        raise ArchiveError("archive.bad_results", f"{folder}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ArchiveError("archive.in_use", str(folder)) from error
        except OSError as error:
            raise ArchiveError("archive.bad_results", f"{folder / LOCK}: {error.strerror}") from error
        try:
            for left in folder.rglob(".rows-*.part"):  # by one that was killed
                left.unlink()
            _require_rules(folder / RULES, rules_of(settings))
        except OSError as error:
            raise ArchiveError("archive.bad_results", f"{folder}: {error.strerror}") from error
        yield


def _require_rules(file: Path, rules: Mapping[str, Any]) -> None:
    if not file.exists():
        write_whole(file, f"{json.dumps(rules, indent=2)}\n".encode())
        return
    try:
        before = json.loads(file.read_bytes())
    except ValueError as error:
        raise ArchiveError("archive.bad_results", f"{file}: {error}") from error
    if not isinstance(before, dict):
        raise ArchiveError("archive.bad_results", f"{file}: these are no rules")
    others = sorted(name for name in {*before, *rules} if before.get(name) != rules.get(name))
    if others:
        raise ArchiveError("archive.other_rules", f"{file.parent}: of the configuration differ {', '.join(others)}")


def models_in(folder: Path) -> tuple[str, ...]:
    """The networks of which a folder of results has rows, as its folders are named, by name."""
    return tuple(sorted({unquote(path.name.removeprefix("model=")) for path in folder.glob("date=*/cell=*/model=*")}))


def of_model(model: str) -> Any:
    """The rows of a network, for `read_rows`.

    Args:
        model: As the folders are named.
    """
    return ds.field("model") == model


def of_errors(model: str) -> Any:
    """The rows of what a network could not judge, for `read_rows`.

    Args:
        model: As the folders are named.
    """
    return of_model(model) & ds.field("error").is_valid()


def read_rows(folder: Path, columns: list[str], chosen: Any = None) -> Iterator[Row]:
    """Some columns of the rows of a folder of results, in no order.

    Args:
        folder: Of all cells and networks.
        columns: Of `COLUMNS` and `FOLDERS`.
        chosen: Which rows, as an expression of `pyarrow.dataset`; None for all.

    Raises:
        ArchiveError: There is no such folder, or a file of it cannot be read.
    """
    try:
        found = ds.dataset(
            folder, schema=pa.unify_schemas([COLUMNS, FOLDERS]), format="parquet",
            partitioning=ds.partitioning(FOLDERS, flavor="hive"),
        )  # fmt: skip
        for batch in found.to_batches(columns=columns, filter=chosen):
            yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise ArchiveError("archive.bad_results", f"{folder}: {error}") from error
