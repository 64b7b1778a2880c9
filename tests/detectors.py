"""A detector that says the same of every picture, for tests of what is made of it; no torch."""

import hashlib
from pathlib import Path

import numpy as np

from models.detector.document import DOCUMENT, GRAPH, DetectorDocument, Tried
from models.detector.layout import CELLS, SIDE_PX
from models.evaluation.figures.rates import rate
from models.manifest import utc_now
from tests.tiny_onnx import onnx_model


def constant_detector(folder: Path, heat: np.ndarray, sides: np.ndarray) -> Path:
    """A detector's folder whose graph answers this heat (cells, cells) and these sides (4, cells, cells)."""
    folder.mkdir()
    graph = onnx_model(
        {"picture": (1, SIDE_PX, SIDE_PX)},
        {"heat": (1, CELLS, CELLS), "sides": (1, 4, CELLS, CELLS)},
        [("Identity", ("warmth",), "heat", {}), ("Identity", ("reach",), "sides", {})],
        {"warmth": heat[None].astype(np.float32), "reach": sides[None].astype(np.float32)},
    )
    (folder / GRAPH).write_bytes(graph)
    tried = Tried(scenes=1, found=rate(1, 1), called_in_empty=rate(0, 1), places_too_many=0)
    document = DetectorDocument(
        created=utc_now(), code_version="0", sha256=hashlib.sha256(graph).hexdigest(), least=0.4, products=1, grounds=0,
        steps=1, seed=1, tried=tried,
    )  # fmt: skip
    (folder / DOCUMENT).write_text(document.model_dump_json(), encoding="utf-8")
    return folder
