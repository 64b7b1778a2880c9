"""Bundles with tiny networks, one for OpenVINO and one for ONNX Runtime, whose answer a test chooses."""

from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as op

from models.manifest import (
    Bundle,
    Data,
    Manifest,
    ScanGeometry,
    found_artefacts,
    hash_files,
    load_bundle,
    utc_now,
    write_manifest,
)
from tests.contract.tiny_onnx import onnx_graph
from tests.unit.housings import CLASSES, GEOMETRY, SCAN_GEOMETRY

Weights = np.ndarray
"""(5,) float32: the answer of both patches, whatever they show."""


def write_openvino(folder: Path, answer: Weights, shape: tuple[int, ...] = GEOMETRY.patches_shape) -> None:
    """`model.xml` and `model.bin`: the answer plus nothing of the patches' sums."""
    folder.mkdir(exist_ok=True)
    patches = op.parameter(shape, ov.Type.u8, "patches")
    sums = op.reduce_sum(op.convert(patches, "f32"), np.array([1, 2], np.int64), keep_dims=False)
    nothing = op.multiply(
        op.unsqueeze(sums, op.constant(np.array([1]))), op.constant(np.zeros((1, len(answer)), np.float32))
    )
    ov.save_model(ov.Model([op.add(nothing, op.constant(answer[None]))], [patches], "small"), folder / "model.xml")


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


def sealed(
    folder: Path, network: str = "small", classes: tuple[str, ...] = CLASSES, geometry: ScanGeometry = SCAN_GEOMETRY
) -> Bundle:
    """A bundle of what lies in the folder."""
    manifest = Manifest(
        name=folder.name,
        network=network,
        version=1,
        created=utc_now(),
        code_version="0.1.0",
        licence="Apache-2.0",
        artefacts=found_artefacts(folder),
        files=hash_files(folder),
        classes=classes,
        passing=classes[0],
        geometry=geometry,
        data=Data(source="none", parts=1, patches=16, epochs=1, patches_per_epoch=16, seed=0),
    )
    write_manifest(folder, manifest)
    return load_bundle(folder)
