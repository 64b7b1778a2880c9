"""A network for tests of the whole cell: it judges a patch by its mean grey value, in less than a millisecond."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from models.manifest import Data, Manifest, found_artefacts, hash_files, write_manifest
from tests.unit.housings import CLASSES, GEOMETRY, SCAN_GEOMETRY

GREY_OF = {number: 90 + 15 * number for number in range(len(CLASSES))}
"""The mean grey value that stands for each class; half-way between two of them the network is undecided."""

SHARPNESS = 0.1


def make_tiny_bundle(folder: Path) -> Path:
    """Write the bundle into a new folder, which is returned."""
    folder.mkdir()
    pixels = ops.parameter(list(GEOMETRY.patches_shape), np.uint8, name="patches")
    mean = ops.reduce_mean(ops.convert(pixels, "f32"), np.array([1, 2]), keep_dims=False)
    column = ops.unsqueeze(mean, np.array([1]))
    distance = ops.subtract(column, np.array([list(GREY_OF.values())], np.float32))
    logits = ops.multiply(ops.multiply(distance, distance), np.float32(-SHARPNESS))
    graph = ov.Model([ops.softmax(logits, 1)], [pixels], "tiny")
    for name in ("model.xml", "int8.xml"):  # nothing to quantise, but whatever a configuration asks for is there
        ov.save_model(graph, folder / name, compress_to_fp16=False)
    manifest = Manifest(
        name="tiny-1",
        network="tiny",
        version=1,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        code_version="test",
        licence="Apache-2.0",
        artefacts=found_artefacts(folder),
        files=hash_files(folder),
        classes=CLASSES,
        passing=CLASSES[0],
        geometry=SCAN_GEOMETRY,
        data=Data(source="none", parts=1, patches=1, epochs=1, patches_per_epoch=1, seed=0),
    )
    write_manifest(folder, manifest)
    return folder
