"""One worker's share: a network, compiled once, and the rows of the scans that it is given."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from models.engines import make_engine
from models.errors import ArchiveError
from models.manifest import Bundle, load_bundle
from models.version import code_version
from station.core.errors import BugError, ModelError, StationError
from station.core.part import ModelIdentity
from station.core.recipe import Recipes
from station.core.settings import Settings
from station.flow.pixels.library import library
from station.host.recipes import bundle_names, recipes_of, require_fit
from station.offline.archive.bucket import PIECE_BYTES, Bucket
from station.offline.archive.scans import Scan, readable
from station.offline.inspect import Inspected, NotInspected, Wanted, decode_image, judge_read

Row = dict[str, Any]
"""A scan's row, by the names of the columns of `station.offline.archive.results`."""

UNJUDGED = frozenset({
    "archive.scan_changed", "archive.unread", "archive.worker_ended", "config.file_failed", "station.bug",
})  # fmt: skip
"""Errors of rows that say nothing of the scan's content: the next inspection tries such a scan again."""


@dataclass(frozen=True, slots=True)
class Order:
    """What every worker is told before its first scan.

    Attributes:
        settings: How is judged: only the part types that the network is for, and the engine with its threads.
        bundle: The network's folder, which every worker must find there.
        model: Which network that must be.
        version: Of the code that gives the order; a worker of another one would judge otherwise.
        bucket: Where the scans are that are no files; each worker reads it with a key that its own computer has.
    """

    settings: Settings
    bundle: Path
    model: ModelIdentity
    version: str
    bucket: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Scans that a worker judges in one go.

    Attributes:
        scans: Them.
        ends: How many workers have ended over them.
    """

    scans: tuple[Scan, ...]
    ends: int = 0


def order_for(settings: Settings, bundle: Bundle, threads: int, bucket: str | None = None) -> Order:
    """What the workers are told.

    Args:
        settings: The configuration.
        bundle: The network that judges, in the place of all that the configuration names.
        threads: Of the engine, in each worker.
        bucket: Where the scans are that are no files; None where all are.

    Raises:
        ModelError: It is for none of the part types.
    """
    fitting, refused = {}, []
    for name, kind in settings.part_types.items():
        try:
            require_fit(bundle, settings, name)
        except ModelError as error:
            refused.append(error)
        else:
            fitting[name] = kind
    if not fitting:
        raise refused[0]
    # Threads that are kept on cores would all be kept on the first ones, in every worker; and nobody waits for a part.
    model = settings.model.model_copy(update={"threads": threads, "pinning": False, "realtime": False})
    return Order(
        settings.model_copy(update={"part_types": fitting, "model": model}),
        bundle.folder.resolve(), bundle.identity, code_version(), bucket,
    )  # fmt: skip


class Judge:
    """A network that judges scans by the steps of `station inspect`.

    Args:
        order: What it judges by.

    Raises:
        ArchiveError: This worker has another version of the code, or no key of the store.
        ModelError: The bundle is not here, is another one, or its engine cannot run it here.
        ConfigError: The compiled passes over pixels are missing.
    """

    def __init__(self, order: Order) -> None:
        if code_version() != order.version:
            told = f"this worker has version {code_version()}, the order is of {order.version}"
            raise ArchiveError("archive.no_cluster", told)
        self._bucket = None if order.bucket is None else Bucket(order.bucket, order.settings.central.store)
        cv2.setNumThreads(order.settings.model.threads)
        library()
        bundle = load_bundle(order.bundle)
        if bundle.identity != order.model:
            raise ModelError("model.wrong_hash", f"{order.bundle} is {bundle.identity}, wanted is {order.model}")
        engine = make_engine(bundle, order.settings.model)
        named = bundle_names(order.settings).values()
        self._settings = order.settings
        self._recipes: Recipes = recipes_of(order.settings, dict.fromkeys(named, engine))
        self._by = {"model_sha256": bundle.identity.sha256, "engine": _told(engine.engine)}

    def rows(self, chunk: Chunk) -> list[Row]:
        """A row a scan, whatever becomes of it."""
        return [row_of(scan, self._judged(scan)) | self._by for scan in chunk.scans]

    def _judged(self, scan: Scan) -> Inspected | NotInspected:
        wanted = scan.wanted
        if isinstance(wanted, NotInspected):
            return wanted
        try:
            content = b"".join(pieces_of(scan, self._bucket))
            if (found := hashlib.sha256(content).hexdigest()) != scan.sha256:
                told = f"{scan.place} has the SHA-256 {found}, it was {scan.sha256}"
                return NotInspected(wanted.file, ArchiveError("archive.scan_changed", told))
            return judge_read(wanted, decode_image(wanted, content, self._recipes), self._settings, self._recipes)
        except OSError as error:
            return unread(scan, error)
        except Exception as error:  # noqa: BLE001  # whatever a scan brings about is told in its row, and the next follow
            return NotInspected(wanted.file, BugError("station.bug", f"{type(error).__name__}: {error}"))


def pieces_of(scan: Scan, bucket: Bucket | None) -> Iterator[bytes]:
    """A scan's content, piece by piece.

    Args:
        scan: It.
        bucket: Where it is, if it is no file.

    Raises:
        OSError: It cannot be read.
    """
    if bucket is not None and scan.address is not None:
        yield from bucket.pieces(scan.address)
        return
    with scan.wanted.file.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def unread(scan: Scan, error: OSError) -> NotInspected:
    """A scan that cannot be read."""
    told = f"{scan.place}: it cannot be read: {error.strerror or error}"
    return NotInspected(scan.wanted.file, ArchiveError("archive.unread", told))


def ended(scan: Scan) -> NotInspected:
    """A scan over which worker after worker ended."""
    told = f"{scan.place}: every process that judged it ended before it answered"
    return NotInspected(scan.wanted.file, ArchiveError("archive.worker_ended", told))


def row_of(scan: Scan, result: Inspected | NotInspected) -> Row:
    """The row of a scan, but which network judged it; what is not known is None."""
    announced = scan.wanted.part_type if isinstance(scan.wanted, Wanted) else None
    recorded = scan.recorded
    row: Row = {
        "scan_sha256": scan.sha256,
        "file": scan.place,
        "date": scan.date,
        "part_id": scan.part_id,
        "inspection_id": scan.inspection_id,
        "entered_at": scan.entered_at,
        "announced_type": announced,
        "recorded_verdict": recorded and recorded.verdict,
        "recorded_reason": recorded and recorded.reason,
        "recorded_confidence": recorded and recorded.confidence,
        "recorded_passes": recorded and recorded.passes,
        "recorded_model_sha256": recorded and recorded.model_sha256,
    }
    return row | (_of_error(result.error) if isinstance(result, NotInspected) else _of_decision(result))


def _of_error(error: StationError) -> Row:
    return {"error": error.code, "message": readable(str(error))}


def _of_decision(result: Inspected) -> Row:
    """Confidence and probabilities to the last bit; the rest as `station inspect --json` tells it."""
    decision, recipe, told = result.decision, result.recipe, result.as_json()
    return {
        "part_type": recipe.part_type.name,
        "recipe_sha256": recipe.sha256,
        "verdict": decision.verdict.name,
        "passes": decision.verdict.passes,
        "algorithm1": told["algorithm1"],
        "reason": told["reason"],
        "detail": told["detail"],
        "confidence": float(decision.confidence),
        "deciding_patch": decision.deciding_patch,
        "defect_patches": decision.defect_patches,
        "classes": [surface.name for surface in recipe.rule.outputs.surfaces],
        "probabilities": decision.probabilities.ravel().tolist(),
        "roi_left": result.roi and result.roi.left,
        "roi_right": result.roi and result.roi.right,
        "scan_valid": result.scan_valid,
        "screened": told["screened"],
        **{name: _json(told[name]) for name in ("defects", "light", "novelty")},
    }


def _json(value: Mapping[str, Any] | list[Any] | None) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True)


def _told(engine: Any) -> str:
    """Where all of this is the same, the same scan gets the same bits."""
    return f"{engine.name} {engine.version} {engine.precision} {engine.isa}"
