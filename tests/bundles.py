"""Bundles of tiny networks: those that judge a patch by its mean grey value, and those whose answer a test chooses."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as op

from models.manifest import (
    GRAPH,
    Bundle,
    Data,
    Figures,
    Manifest,
    Parity,
    ScanGeometry,
    Thresholds,
    found_artefacts,
    hash_files,
    load_bundle,
    utc_now,
    write_manifest,
)
from station.core.geometry import Geometry
from tests.tiny_onnx import onnx_graph
from tests.unit.housings import CLASSES, GEOMETRY, SCAN_GEOMETRY, Surface

Weights = np.ndarray
"""(classes,) float32: the answer for every patch, whatever it shows."""

GREYS: dict[str, int] = {surface.value: 60 + 40 * surface.number for surface in Surface}
"""The grey value that a sound bundle takes for each class of housings."""
CLOSE_GREYS: dict[str, int] = {surface.value: 90 + 15 * surface.number for surface in Surface}
"""The same nearer to each other, with room for the marks of a turned surface on both sides."""
SOUND = Parity(
    engine="openvino", precision="int8", source="nothing", parts=1000, changed_parts=0, patches=16000,
    changed_patches=0, largest_difference=0.01,
)  # fmt: skip
MEASURED = Figures(
    source="nothing", patches=160, wrong_patches=1, parts=10, defective_parts=4, escapes=1, overkills=2, wrong_class=0
)


def sealed(folder: Path, **said: Any) -> Bundle:
    """A bundle of the artefacts that lie in a folder, named as it is; one of housings where nothing else is said.

    Args:
        folder: With the files of one artefact or more.
        said: Fields of its manifest.
    """
    classes = said.get("classes", CLASSES)
    fields: dict[str, Any] = {
        "name": folder.name,
        "network": "tiny",
        "version": 1,
        "created": utc_now(),
        "code_version": "0.1.0",
        "licence": "Apache-2.0",
        "artefacts": found_artefacts(folder),
        "files": hash_files(folder),
        "classes": classes,
        "passing": classes[0],
        "geometry": SCAN_GEOMETRY,
        "data": Data(source="none", parts=1, patches=16, epochs=1, patches_per_epoch=16, seed=0),
    }
    write_manifest(folder, Manifest(**(fields | said)))
    return load_bundle(folder)


def make_grey_bundle(
    folder: Path,
    greys: Mapping[str, int] = GREYS,
    int8_greys: Mapping[str, int] | None = None,
    parity: tuple[Parity, ...] = (SOUND,),
    passing: str = Surface.DEFECT_FREE,
    geometry: Geometry = GEOMETRY,
    sharpness: float = 0.02,
) -> Path:
    """A bundle for OpenVINO in f32 and INT8 that judges a patch by its mean grey value, in less than a millisecond.

    Args:
        folder: A new folder.
        greys: The grey value that it takes for each class; the classes in the order of its answers. Half-way between
            two of them it is undecided.
        int8_greys: What the INT8 artefact takes; None for the same.
        parity: How far the artefacts decide alike, as the manifest tells it.
        passing: The class with which a part is good.
        geometry: What it takes.
        sharpness: How fast it becomes certain away from half-way.
    """
    folder.mkdir(parents=True)
    write_grey_graph(folder / GRAPH, greys, geometry, sharpness)
    write_grey_graph(folder / "int8.xml", int8_greys or greys, geometry, sharpness)
    told = Thresholds(min_confidence=0.5)
    sealed(
        folder, network="grey", classes=tuple(greys), passing=passing, geometry=ScanGeometry.of(geometry),
        thresholds=told, parity=parity, figures=MEASURED,
    )  # fmt: skip
    return folder


def write_grey_graph(path: Path, greys: Mapping[str, int], geometry: Geometry, sharpness: float) -> None:
    """softmax(-sharpness · (mean - grey)²), the classes in the order of `greys`."""
    patches = op.parameter(list(geometry.patches_shape), np.uint8, name="patches")
    mean = op.unsqueeze(op.reduce_mean(op.convert(patches, "f32"), np.array([1, 2]), keep_dims=False), np.array([1]))
    distance = op.subtract(mean, np.array([list(greys.values())], np.float32))
    logits = op.multiply(op.multiply(distance, distance), np.float32(-sharpness))
    ov.save_model(ov.Model([op.softmax(logits, 1)], [patches], "grey"), path, compress_to_fp16=False)


def write_openvino(folder: Path, answer: Weights, shape: tuple[int, ...] = GEOMETRY.patches_shape) -> None:
    """`model.xml` and `model.bin`: the answer plus nothing of the patches' sums."""
    folder.mkdir(exist_ok=True)
    patches = op.parameter(shape, ov.Type.u8, "patches")
    sums = op.reduce_sum(op.convert(patches, "f32"), np.array([1, 2], np.int64), keep_dims=False)
    nothing = op.multiply(
        op.unsqueeze(sums, op.constant(np.array([1]))), op.constant(np.zeros((1, len(answer)), np.float32))
    )
    ov.save_model(ov.Model([op.add(nothing, op.constant(answer[None]))], [patches], "answer"), folder / GRAPH)


def write_onnx(folder: Path, answer: Weights, shape: tuple[int, ...] = GEOMETRY.patches_shape) -> None:
    """`model.onnx`: the same."""
    folder.mkdir(exist_ok=True)
    nodes = [
        ("Cast", ("patches",), "pixels", {"to": 1}),
        ("Reshape", ("pixels", "flat"), "rows", {}),
        ("MatMul", ("rows", "zeros"), "nothing", {}),
        ("Add", ("nothing", "answer"), "probabilities", {}),
    ]
    constants = {
        "flat": np.array([shape[0], shape[1] * shape[2]], np.int64),
        "zeros": np.zeros((shape[1] * shape[2], len(answer)), np.float32),
        "answer": answer[None],
    }
    (folder / "model.onnx").write_bytes(onnx_graph(shape, (shape[0], len(answer)), nodes, constants))
