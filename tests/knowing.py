"""Bundles of tiny networks that tell what they were trained on: they judge by the mean grey value of a patch."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as op

from models.manifest import GRAPH, Bundle, ScanGeometry, Thresholds
from models.novelty.file import short_hashes
from models.novelty.learnt import TrainingPatches
from models.novelty.reference import write_reference
from models.novelty.sections import Features
from station.core.geometry import Geometry
from station.core.part import Pixels
from tests.bundles import sealed

LENGTH = 2
"""Features of a patch: the mean of its greys, and the mean of their squares."""
SHARPNESS = 0.02


def write_knowing_graph(path: Path, greys: Mapping[str, int], geometry: Geometry) -> None:
    """Answers softmax(-sharpness · (mean - grey)²), the classes in the order of `greys`, and the features."""
    patches = op.parameter(list(geometry.patches_shape), np.uint8, name="patches")
    pixels = op.convert(patches, "f32")
    means = [
        op.reduce_mean(values, np.array([1, 2]), keep_dims=False) for values in (pixels, op.multiply(pixels, pixels))
    ]
    mean, squares = (op.unsqueeze(value, np.array([1])) for value in means)
    distance = op.subtract(mean, np.array([list(greys.values())], np.float32))
    logits = op.multiply(op.multiply(distance, distance), np.float32(-SHARPNESS))
    outputs = [op.softmax(logits, 1), op.concat([mean, squares], 1)]
    ov.save_model(ov.Model(outputs, [patches], "grey"), path, compress_to_fp16=False)


def make_knowing_bundle(
    folder: Path,
    greys: Mapping[str, int],
    passing: str,
    trained: Pixels,
    geometry: Geometry,
    sha256s: Sequence[str] = (),
) -> Bundle:
    """Such a network in f32 and INT8, and what it was trained on.

    Args:
        folder: A new folder.
        greys: The grey value that it takes for each class.
        passing: The class with which a part is good.
        trained: (n, height, width) uint8 patches of the training.
        geometry: What it takes.
        sha256s: Of the scans that it was trained on.
    """
    folder.mkdir(parents=True)
    for name in (GRAPH, "int8.xml"):
        write_knowing_graph(folder / name, greys, geometry)
    said = {
        "network": "grey",
        "classes": tuple(greys),
        "passing": passing,
        "geometry": ScanGeometry.of(geometry),
        "thresholds": Thresholds(min_confidence=0.5),
        "features": Features(name="greys", length=LENGTH),
    }
    sealed(folder, **said)
    patches = TrainingPatches(trained, (passing,) * len(trained), short_hashes(list(sha256s)), "drawn", 1)
    return sealed(folder, **said, novelty=write_reference(folder, patches))
