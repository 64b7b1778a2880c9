"""A detector at work, by ONNX Runtime; no torch."""

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime as ort
from pydantic import ValidationError

from models.detector.document import DOCUMENT, GRAPH, DetectorDocument
from models.detector.layout import Place, lay, places_of
from models.engines.onnxruntime import FAILURES, PROVIDERS, session_options
from station.core.errors import ModelError
from station.core.part import Pixels


class Detector:
    """Says where products are in a picture; blocking, for one thread.

    Args:
        folder: From `station model detector`.
        threads: Of ONNX Runtime; 0 for all cores.

    Raises:
        ModelError: `model.missing` for the folder or a file, `model.wrong_hash` for another graph than the document
            names, `model.bad_manifest` for a document that cannot be read, `model.engine_failed` for one that does not
            run.
    """

    def __init__(self, folder: Path, threads: int = 0) -> None:
        graph = _read(folder / GRAPH)
        self.document = _document(folder)
        if (found := hashlib.sha256(graph).hexdigest()) != self.document.sha256:
            told = f"{folder / GRAPH} has SHA-256 {found}, {DOCUMENT} names {self.document.sha256}"
            raise ModelError("model.wrong_hash", told)
        try:
            self._session = ort.InferenceSession(graph, session_options(threads), providers=list(PROVIDERS))
        except FAILURES as error:
            raise ModelError("model.engine_failed", f"{folder / GRAPH}: {error}") from error

    def find(self, picture: Pixels) -> tuple[Place, ...]:
        """The products of a picture (height, width) uint8, the surest first.

        Raises:
            ModelError: The engine fails.
        """
        laid = lay(picture)
        try:
            heat, sides = self._session.run(None, {"picture": laid.square[None]})
        except FAILURES as error:
            raise ModelError("model.engine_failed", f"the detector: {error}") from error
        shape = (picture.shape[0], picture.shape[1])
        return places_of(np.asarray(heat[0]), np.asarray(sides[0]), self.document.least, laid, shape)


def _document(folder: Path) -> DetectorDocument:
    try:
        return DetectorDocument.model_validate_json(_read(folder / DOCUMENT))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "document"
        raise ModelError("model.bad_manifest", f"{folder / DOCUMENT}: {where}: {first['msg']}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError("model.missing", f"no file {path}; `station model detector` makes a detector") from error
    except OSError as error:
        raise ModelError("config.file_failed", f"{path} cannot be read: {error.strerror}") from error
