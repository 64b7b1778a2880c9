"""Measures the networks of a comparison: each becomes a bundle of one image a strip, which every engine opens."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import openvino as ov
import torch
from numpy.typing import NDArray

from models.benchmark.document import Benchmark, EngineRun, Measured, NotRun
from models.dataset.store import DataSet, Split
from models.engines import ARTEFACT_OF
from models.engines.processor import instruction_set, usable_cores
from models.errors import TrainingError
from models.manifest import (
    ARTEFACT_FILES,
    Data,
    Manifest,
    ScanGeometry,
    found_artefacts,
    hash_files,
    utc_now,
    write_manifest,
)
from models.networks import NETWORKS
from models.networks.layers import Network
from models.novelty.sections import Features
from models.release.export import write_artefacts
from models.release.graphs import ScoringGraph, rounded, to_openvino
from models.release.quantise import calibration_strips, quantise, recipes_named
from models.training.checkpoint import BEST, load_network
from models.training.comparison import WHOLE, Comparison
from models.version import code_version
from station.core.choices import EngineName, Precision
from station.core.geometry import Geometry
from station.core.part import Pixels

CALIBRATION, HELD_AGAINST = 300, 64
"""Images of the training that INT8 is calibrated with, and of the test that engines are held against torch on."""
LONGEST_S = 600.0


def measure_networks(data: DataSet, rows: Sequence[Comparison], folder: Path, tell: Callable[[str], None]) -> Benchmark:
    """Measure every network of a comparison; some seconds each, and a minute where INT8 takes long to make.

    Args:
        data: What they were trained on.
        rows: What the comparison found.
        folder: Where it did.
        tell: Told what is being done.

    Raises:
        TrainingError: The images are not square, so that the station's engines take none of them.
    """
    side = data.manifest.height
    if side != data.manifest.width:
        told = f"images are {side}x{data.manifest.width}, and the station's engines take square ones"
        raise TrainingError("training.bad_data", f"{data.folder}: {told}")
    measured = []
    for row in rows:
        tell(f"{row.network}: engines")
        network, _info = load_network(folder / row.network / WHOLE / BEST)
        with TemporaryDirectory(prefix="benchmark-") as place:
            runs, not_run = _on_engines(data, row, network, Path(place))
        measured.append(_measured(row, runs, not_run))
    return Benchmark(
        created=utc_now(),
        computer=f"{usable_cores()} cores, {instruction_set()}",
        data_sha256=data.sha256,
        data_source=data.manifest.source,
        image=(side, side),
        networks=tuple(measured),
    )


def _measured(row: Comparison, runs: Sequence[EngineRun], not_run: Sequence[NotRun]) -> Measured:
    figures = row.crossval.pooled if row.crossval else row.judged
    judged = row.crossval.judged if row.crossval else "parts" if row.parts else "images"
    return Measured(
        network=row.network,
        trainable_parameters=row.trainable_parameters,
        judged=judged,
        crossvalidated=row.crossval is not None,
        accuracy=figures.accuracy,
        macro_f1=figures.macro_f1,
        macro_auc=figures.macro_auc,
        training_s=row.training_s,
        runs=tuple(runs),
        not_run=tuple(not_run),
    )


def _on_engines(data: DataSet, row: Comparison, network: Network, place: Path) -> tuple[list[EngineRun], list[NotRun]]:
    bundle, images = place / "probe-1", place / "images.npy"
    bundle.mkdir()
    small = rounded(network)
    unserved = dict(NETWORKS[row.network].unserved)
    _write_bundle(bundle, data, row, small, unserved)
    test = _some(data, Split.TEST, HELD_AGAINST)
    np.save(images, test)
    with torch.inference_mode():
        wanted = np.concatenate([ScoringGraph(small, 1.0)(torch.from_numpy(one[None]))[0].numpy() for one in test])
    runs, not_run = list[EngineRun](), list[NotRun]()
    for (engine, precision), artefact in ARTEFACT_OF.items():
        if engine == "torch":
            continue
        found = NotRun(engine=engine, precision=precision, why=unserved[artefact]) if artefact in unserved else None
        made = found or _probed(bundle, engine, precision, images, wanted)
        runs += [made] if isinstance(made, EngineRun) else []
        not_run += [made] if isinstance(made, NotRun) else []
    return runs, not_run


def _write_bundle(folder: Path, data: DataSet, row: Comparison, network: Network, unserved: dict[str, str]) -> None:
    side = data.manifest.height
    geometry = Geometry(side, side, side, 1)
    calibration = _some(data, Split.TRAIN, CALIBRATION)
    graph = to_openvino(network, 1.0, geometry)
    write_artefacts(folder, network, graph, 1.0, geometry, ARTEFACT_FILES)
    if "openvino-int8" not in unserved:
        strips, _over, _under = calibration_strips(calibration, 1, geometry.patches_per_strip)
        small = quantise(graph, strips, recipes_named("all")[0])
        ov.save_model(small, folder / ARTEFACT_FILES["openvino-int8"][0], compress_to_fp16=True)
    names = tuple(f"class_{number}" for number in range(len(data.classes)))  # data sets may name them otherwise
    features = Features(name=network.describes, length=int(graph.output(1).partial_shape.to_shape()[1]))
    source = Data(source=data.manifest.source, parts=1, patches=1, epochs=1, patches_per_epoch=1, seed=0)
    manifest = Manifest(
        name="probe-1",
        network=row.network,
        version=1,
        created=utc_now(),
        code_version=code_version(),
        licence="Apache-2.0",
        artefacts=found_artefacts(folder),
        files=hash_files(folder),
        classes=names,
        passing=names[0],
        geometry=ScanGeometry.of(geometry),
        data=source,
        features=features,
    )
    write_manifest(folder, manifest)


def _some(data: DataSet, split: Split, count: int) -> Pixels:
    """So many images of a split, of all classes alike as far as they lie mixed."""
    there = data.indices(split)
    chosen = np.random.default_rng(1).permutation(there)[:count]
    return np.ascontiguousarray(data.images[np.sort(chosen)], np.uint8)


def _probed(
    bundle: Path, engine: EngineName, precision: Precision, images: Path, wanted: NDArray[np.float32]
) -> EngineRun | NotRun:
    answers = images.with_name(f"{engine}-{precision}.npy")
    command = [sys.executable, "-m", "models.benchmark.probe", *map(str, (bundle, engine, precision, images, answers))]
    ended = subprocess.run(  # noqa: S603 - this interpreter, with paths of our own making
        command, capture_output=True, text=True, timeout=LONGEST_S, check=False, env=dict(os.environ)
    )
    if ended.returncode:
        last = (ended.stderr.splitlines() or ["no word"])[-1]
        return NotRun(engine=engine, precision=precision, why=f"it ended with {ended.returncode}: {last}")
    told = json.loads(ended.stdout.splitlines()[-1])
    if told["problem"]:
        return NotRun(engine=engine, precision=precision, why=told["problem"])
    found = np.load(answers)
    files = ARTEFACT_FILES[ARTEFACT_OF[engine, precision]]
    return EngineRun(
        engine=engine,
        precision=precision,
        ms=1000 * median(told["times_s"]),
        least_ms=1000 * min(told["times_s"]),
        memory_mb=told["memory_bytes"] / 1e6,
        size_mb=sum((bundle / name).stat().st_size for name in files) / 1e6,
        images=len(wanted),
        changed=int((found.argmax(1) != wanted.argmax(1)).sum()),
        largest_difference=float(np.abs(found - wanted).max()),
    )
