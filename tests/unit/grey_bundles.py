"""Bundles that judge a patch by its mean grey value, and recordings of parts of one grey value, for the gate."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
from openvino import opset13 as op

from models.manifest import (
    Data,
    Figures,
    Manifest,
    Parity,
    ScanGeometry,
    Thresholds,
    found_artefacts,
    hash_files,
    utc_now,
    write_manifest,
)
from station.core.geometry import Geometry
from tests.unit.housings import GEOMETRY, Surface

GREYS: dict[str, int] = {surface.value: 60 + 40 * surface.number for surface in Surface}
"""The grey value that a sound bundle takes for each class of housings."""
PART_WIDTH = 64
SOUND = Parity(
    engine="openvino", precision="int8", source="nothing", parts=1000, changed_parts=0, patches=16000,
    changed_patches=0, largest_difference=0.01,
)  # fmt: skip


def write_graph(path: Path, greys: Mapping[str, int], geometry: Geometry) -> None:
    patches = op.parameter(list(geometry.patches_shape), np.uint8, name="patches")
    mean = op.unsqueeze(op.reduce_mean(op.convert(patches, "f32"), np.array([1, 2]), keep_dims=False), np.array([1]))
    distance = op.subtract(mean, np.array([list(greys.values())], np.float32))
    logits = op.multiply(op.multiply(distance, distance), np.float32(-0.02))
    ov.save_model(ov.Model([op.softmax(logits, 1)], [patches], "grey"), path, compress_to_fp16=False)


def make_grey_bundle(
    folder: Path,
    greys: Mapping[str, int] = GREYS,
    int8_greys: Mapping[str, int] | None = None,
    parity: tuple[Parity, ...] = (SOUND,),
    passing: str = Surface.DEFECT_FREE,
    geometry: Geometry = GEOMETRY,
) -> Path:
    """A bundle for OpenVINO in f32 and INT8, named as its folder is.

    Args:
        folder: A new folder.
        greys: The grey value that it takes for each class; the classes in the order of its answers.
        int8_greys: What the INT8 artefact takes; None for the same.
        parity: How far the artefacts decide alike, as the manifest tells it.
        passing: The class with which a part is good.
        geometry: What it takes.
    """
    folder.mkdir(parents=True)
    write_graph(folder / "model.xml", greys, geometry)
    write_graph(folder / "int8.xml", int8_greys or greys, geometry)
    manifest = Manifest(
        name=folder.name,
        network="grey",
        version=1,
        created=utc_now(),
        code_version="0.1.0",
        licence="Apache-2.0",
        artefacts=found_artefacts(folder),
        files=hash_files(folder),
        classes=tuple(greys),
        passing=passing,
        geometry=ScanGeometry.of(geometry),
        thresholds=Thresholds(min_confidence=0.5),
        data=Data(source="none", parts=1, patches=16, epochs=1, patches_per_epoch=16, seed=0),
        parity=parity,
        figures=Figures(
            source="nothing", patches=160, wrong_patches=1, parts=10, defective_parts=4, escapes=1, overkills=2,
            wrong_class=0,
        ),
    )  # fmt: skip
    write_manifest(folder, manifest)
    return folder


def make_recording(folder: Path, parts: Sequence[tuple[Surface, int]]) -> Path:
    """Parts of a true class and a grey value each, with their masks."""
    (folder / "masks").mkdir(parents=True)
    entries, truths = [], []
    for number, (surface, grey) in enumerate(parts):
        name = f"P{number}.png"
        image = np.full((3584, PART_WIDTH), grey, np.uint8)
        mask = np.zeros_like(image)
        mask[:448] = surface.number
        for path, pixels in ((folder / name, image), (folder / "masks" / name, mask)):
            assert cv2.imwrite(str(path), pixels)
        entries.append({"file": name, "part_id": f"P{number}", "part_type": "smh_385", "label": surface})
        truths.append({"file": name, "mask": f"masks/{name}", "left": 0, "right": PART_WIDTH, "seed": 1, "defects": []})
    for file, rows in (("recording.jsonl", entries), ("truth.jsonl", truths)):
        (folder / file).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def as_they_are(*surfaces: Surface) -> list[tuple[Surface, int]]:
    """Parts that a sound bundle judges rightly."""
    return [(surface, GREYS[surface]) for surface in surfaces]
