"""A checkpoint becomes a bundle: every artefact, the temperature, parity and figures, the card, and the manifest.

The bundle is made in a folder beside its place and renamed when it is whole; a bundle that is there is never touched.
Needs torch and NNCF.
"""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import openvino as ov
import torch
from torch import nn

from models.dataset.patches import label_patches
from models.dataset.scans import read_image, read_mask
from models.evaluation.figures.calibration import fit_temperature
from models.evaluation.measuring.evaluation import Evaluation
from models.evaluation.measuring.parts import JudgedPart, cut_at_truth, decide_part, measure
from models.manifest import (
    ARTEFACT_FILES,
    CARD,
    CLASSES,
    Bundle,
    Data,
    Engine,
    Figures,
    Manifest,
    Parity,
    Precision,
    Quantisation,
    Thresholds,
    found_artefacts,
    hash_files,
    load_bundle,
    utc_now,
    write_manifest,
)
from models.release.card import card_text
from models.release.durable import new_folder
from models.release.golden import Golden
from models.release.graphs import Scorer, rounded, to_onnx, to_openvino, to_state
from models.release.parity import compare
from models.release.pictures import Pictures
from models.release.quantise import Recipe, calibration_strips, quantise
from models.release.runners import open_variants
from models.training.checkpoint import load_network
from models.version import code_version
from station.core.errors import ModelError
from station.core.geometry import PATCH_PX
from station.core.part import Probabilities

MEASURED: tuple[Engine, Precision] = ("openvino", "f32")
"""In which way the figures of the manifest are measured."""

TOOLS = ("torch", "openvino", "nncf", "onnx", "numpy")
LEAST_VALUE = 1e-30
"""Probabilities are held above it before their logarithm is taken."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A network with what is known of its training."""

    network: nn.Module
    name: str
    data: Data


@dataclass(frozen=True, slots=True)
class Choices:
    """What the person who exports chooses.

    Attributes:
        number: Counts the bundles of this network.
        licence: SPDX name of the weights' licence.
        recipe: How INT8 is made.
        min_confidence: Least confidence of a part with which the figures are counted.
        seed: Of the calibration's exposures.
        evaluations: Of the checkpoint, for the card.
    """

    number: int
    licence: str
    recipe: Recipe
    min_confidence: float
    seed: int
    evaluations: tuple[Evaluation, ...]


def read_trained(checkpoint: Path, source: str | None) -> Trained:
    """The network of a checkpoint that the station can use.

    Args:
        checkpoint: From `station model train`.
        source: Where its training pictures come from, for the reader; None for what the checkpoint says.

    Raises:
        TrainingError: The checkpoint cannot be used.
        ModelError: `model.export_failed`: its classes or its images are not the station's.
    """
    network, info = load_network(checkpoint)
    said, shape = info.data, (info.data.height, info.data.width)
    if said.classes != CLASSES:
        raise ModelError("model.export_failed", f"{checkpoint}: classes are {', '.join(said.classes)}, "
                         f"the station's are {', '.join(CLASSES)}, in this order")  # fmt: skip
    if shape != (PATCH_PX, PATCH_PX):
        raise ModelError("model.export_failed", f"{checkpoint}: trained on images of {shape}, not of patches")
    data = Data(
        source=source or said.source,
        sha256=said.sha256,
        parts=said.parts,
        patches=said.patches,
        epochs=info.epochs_done,
        patches_per_epoch=info.plan.items_per_epoch or said.patches,
        seed=info.plan.seed,
    )
    return Trained(network, info.network, data)


def export_bundle(trained: Trained, pictures: Pictures, golden: Golden, choices: Choices, folder: Path) -> Manifest:
    """Make a bundle; many minutes, most of them for the quantisation and the torch network on the golden parts.

    Args:
        trained: The network.
        pictures: To calibrate with, and to fit the temperature on.
        golden: Parts that the network was not trained on, for parity and figures.
        choices: What the person chose.
        folder: The bundle's folder; its name is the bundle's.

    Raises:
        ModelError: `model.exists`, `model.export_failed`, or an artefact cannot be run.
        RecordingError: A golden part cannot be read.
    """
    with new_folder(folder) as staged:
        network = _round(trained.network)
        temperature = fit(to_openvino(network, 1.0), pictures)
        quantisation = write_artefacts(staged, network, temperature, pictures, choices)
        manifest = _manifest(trained, choices, folder.name, temperature, quantisation, staged)
        write_manifest(staged, manifest)
        parity, figures = judge_golden(load_bundle(staged), Scorer(network, temperature), golden, choices)
        manifest = manifest.model_copy(update={"parity": parity, "figures": figures})
        (staged / CARD).write_text(card_text(manifest, choices.evaluations), encoding="utf-8")
        manifest = manifest.model_copy(update={"files": hash_files(staged)})
        write_manifest(staged, manifest)
    return manifest


def _round(network: nn.Module) -> nn.Module:
    try:
        return rounded(network)
    except ValueError as error:
        raise ModelError("model.export_failed", str(error)) from error


def fit(graph: ov.Model, pictures: Pictures) -> float:
    """The temperature under which the validation patches' classes are most likely; 1 where none is wrong."""
    request = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    strips = np.array_split(pictures.validation[: len(pictures.validation) // 2 * 2], len(pictures.validation) // 2)
    found = np.concatenate([np.array(request.infer({0: strip})[0]) for strip in strips])
    labels = pictures.labels[: len(found)]
    if not (found.argmax(axis=1) != labels).any():
        return 1.0
    return round(fit_temperature(np.log(np.maximum(found, LEAST_VALUE)), labels), 4)


def write_artefacts(
    folder: Path, network: nn.Module, temperature: float, pictures: Pictures, choices: Choices
) -> Quantisation:
    """Write every artefact of a rounded network into a folder; how the INT8 one was made."""
    graph = to_openvino(network, temperature)
    strips, over, under = calibration_strips(pictures.calibration, choices.seed)
    small = quantise(graph, strips, choices.recipe)
    ov.save_model(graph, folder / ARTEFACT_FILES["openvino"][0], compress_to_fp16=True)
    ov.save_model(small, folder / ARTEFACT_FILES["openvino-int8"][0], compress_to_fp16=True)
    (folder / ARTEFACT_FILES["onnx"][0]).write_bytes(to_onnx(network, temperature))
    (folder / ARTEFACT_FILES["torch"][0]).write_bytes(to_state(network))
    return Quantisation(
        recipe=choices.recipe.name,
        source=pictures.source,
        patches=sum(map(len, strips)),
        over_exposed=over,
        under_exposed=under,
        seed=choices.seed,
    )


def judge_golden(
    bundle: Bundle, reference: Scorer, golden: Golden, choices: Choices
) -> tuple[tuple[Parity, ...], Figures]:
    """Every artefact against the torch network on the golden parts; and the figures, of OpenVINO in f32."""
    engines = open_variants(bundle)
    wanted: list[Probabilities] = []
    found: dict[tuple[Engine, Precision], list[Probabilities]] = {variant: [] for variant in engines}
    parts: list[JudgedPart] = []
    for scan in golden.scans:
        patches = cut_at_truth(read_image(scan), scan)
        with torch.inference_mode():
            wanted.append(reference(torch.from_numpy(patches)).numpy())
        for variant, engine in engines.items():
            found[variant].append(engine.score(patches))
        labels = label_patches(read_mask(scan), scan.left, scan.right)
        parts.append(decide_part(scan, labels, found[MEASURED][-1], choices.min_confidence))
    parity = tuple(compare(wanted, answers, *variant, golden.source) for variant, answers in found.items())
    return parity, measure(parts, f"{golden.source}, by OpenVINO in f32")


def _manifest(
    trained: Trained, choices: Choices, name: str, temperature: float, quantisation: Quantisation, folder: Path
) -> Manifest:
    return Manifest(
        name=name,
        network=trained.name,
        version=choices.number,
        created=utc_now(),
        code_version=code_version(),
        tools={tool: version(tool) for tool in TOOLS},
        licence=choices.licence,
        artefacts=found_artefacts(folder),
        files=hash_files(folder),
        classes=CLASSES,
        temperature=temperature,
        thresholds=Thresholds(min_confidence=choices.min_confidence),
        data=trained.data,
        quantisation=quantisation,
    )
