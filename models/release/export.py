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

from models.dataset.named import read_image
from models.evaluation.figures.calibration import fit_temperature
from models.evaluation.measuring.evaluation import Evaluation
from models.evaluation.measuring.images import picture_figures
from models.evaluation.measuring.parts import JudgedPart, Rule, decide_part, measure, true_labels
from models.manifest import (
    ARTEFACT_FILES,
    CARD,
    GRAPH,
    Bundle,
    Data,
    Figures,
    Kind,
    Manifest,
    Parity,
    Quantisation,
    ScanGeometry,
    Thresholds,
    found_artefacts,
    hash_files,
    load_bundle,
    utc_now,
    write_manifest,
)
from models.meaning import NAMES, Meaning, meaning_of, own_table, unconfigurable
from models.networks.layers import Network
from models.novelty.learnt import TrainingPatches
from models.novelty.reference import write_reference
from models.novelty.sections import Features
from models.release.card import card_text
from models.release.golden import Golden, GoldenParts, GoldenPictures
from models.release.graphs import ScoringGraph, rounded, to_onnx, to_openvino, to_state
from models.release.new_folder import new_folder
from models.release.parity import compare
from models.release.pictures import Pictures, light_level
from models.release.quantise import QuantisationRecipe, calibration_strips, quantise
from models.release.runners import Variants, open_variants
from models.training.checkpoint import CheckpointInfo, load_network
from models.version import code_version
from station.core.choices import EngineName, Precision
from station.core.errors import ModelError
from station.core.geometry import Geometry
from station.core.part import Pixels, Probabilities
from station.core.probabilities import columns_of
from station.core.verdicts import Classes

MEASURED: tuple[EngineName, Precision] = ("openvino", "f32")
"""In which way the figures of the manifest are measured."""

TOOLS = ("torch", "openvino", "nncf", "onnx", "numpy")
LEAST_VALUE = 1e-30
"""Probabilities are held above it before their logarithm is taken."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A network with what is known of its training.

    Attributes:
        network: In evaluation mode.
        name: Its architecture.
        meaning: What its columns mean.
        geometry: What it takes, and from what scan that is cut.
        data: What it was trained on.
    """

    network: Network
    name: str
    meaning: Meaning
    geometry: Geometry
    data: Data


@dataclass(frozen=True, slots=True)
class Fallback:
    """What is taken where a checkpoint does not say it.

    Attributes:
        passing: The class with which a part is good, as the person who exports says; None where nobody does.
        table: The configured classes.
        geometry: The configured one.
    """

    passing: str | None
    table: Classes
    geometry: Geometry


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
    recipe: QuantisationRecipe
    min_confidence: float
    seed: int
    evaluations: tuple[Evaluation, ...]


def read_trained(checkpoint: Path, source: str | None, fallback: Fallback) -> Trained:
    """The network of a checkpoint, if a station can be configured for it.

    Args:
        checkpoint: From `station model train`.
        source: Where its training pictures come from, for the reader; None for what the checkpoint says.
        fallback: What is taken where the checkpoint does not say it.

    Raises:
        TrainingError: The checkpoint cannot be used.
        ModelError: `model.export_failed`: nobody says which class passes, a class has no name that can be configured,
            or its images are no patches.
    """
    network, info = load_network(checkpoint)
    said = info.data
    data = Data(
        source=source or said.source,
        sha256=said.sha256,
        parts=said.parts,
        patches=said.patches,
        epochs=info.epochs_done,
        patches_per_epoch=info.plan.items_per_epoch or said.patches,
        seed=info.plan.seed,
    )
    meaning = _meaning(checkpoint, info, fallback)
    return Trained(network, info.network, meaning, _geometry(checkpoint, info, fallback), data)


def _meaning(checkpoint: Path, info: CheckpointInfo, fallback: Fallback) -> Meaning:
    """The classes by the configured table where it has them all and agrees on what passes, else by their own."""
    names, table = info.classes, fallback.table
    if strange := unconfigurable(names):
        raise ModelError(
            "model.export_failed", f"{checkpoint}: {', '.join(strange)}: {NAMES}; train on renamed classes"
        )
    usual = table.passing.name if table.passing.name in names else None
    passing = fallback.passing or info.data.passing or usual
    if passing not in names:
        told = f"{passing} is none of them" if passing else "nobody says which of them passes"
        raise ModelError(
            "model.export_failed",
            f"{checkpoint}: classes are {', '.join(names)}; {told}. Name it with --passing; a network without a class "
            f"for good parts is no network for a station",
        )
    fits = not table.unknown(names) and table.passing.name == passing
    return meaning_of(names, table if fits else own_table(names, passing), str(checkpoint))


def _geometry(checkpoint: Path, info: CheckpointInfo, fallback: Fallback) -> Geometry:
    geometry, shape = info.data.geometry or fallback.geometry, (info.data.height, info.data.width)
    if shape != (geometry.patch_px, geometry.patch_px):
        raise ModelError(
            "model.export_failed",
            f"{checkpoint}: trained on images of {shape[0]}x{shape[1]}, and a patch is {geometry.patch_px} px high and "
            f"wide ({geometry}); set [geometry], or make a data set of that size",
        )
    return geometry


def export_bundle(
    trained: Trained,
    pictures: Pictures,
    golden: Golden,
    choices: Choices,
    folder: Path,
    training: TrainingPatches | None = None,
) -> Manifest:
    """Make a bundle; many minutes, most of them for the quantisation and the torch network on the golden parts.

    Args:
        trained: Network, meaning of its classes, and what it was trained on.
        pictures: To calibrate with, and to fit the temperature on.
        golden: Parts, or pictures, that the network was not trained on, for parity and figures.
        choices: What the person chose.
        folder: The bundle's folder; its name is the bundle's.
        training: Of what it was trained on; None leaves the bundle without a way to tell unknown parts.

    Raises:
        ModelError: `model.exists`, `model.export_failed`, or an artefact cannot be run.
        RecordingError: A golden part cannot be read.
    """
    with new_folder(folder) as staged:
        network = _rounded(trained.network)
        temperature = fitted_temperature(
            to_openvino(network, 1.0, pictures.geometry), pictures, trained.meaning.passing
        )
        quantisation = write_artefacts(staged, network, temperature, pictures, choices)
        manifest = _manifest(trained, choices, folder.name, temperature, quantisation, staged)
        manifest = manifest.model_copy(update={"light_level": light_level(pictures, trained.meaning)})
        write_manifest(staged, manifest)
        manifest = _with_reference(staged, manifest, training)
        parity, figures = judge_golden(
            load_bundle(staged), ScoringGraph(network, temperature), golden, trained.meaning, choices
        )
        manifest = manifest.model_copy(update={"parity": parity, "figures": figures})
        (staged / CARD).write_text(card_text(manifest, choices.evaluations), encoding="utf-8")
        manifest = manifest.model_copy(update={"files": hash_files(staged)})
        write_manifest(staged, manifest)
    return manifest


def _with_reference(folder: Path, manifest: Manifest, training: TrainingPatches | None) -> Manifest:
    """The manifest with what the network was trained on, which is written into the folder; as it is without any."""
    if training is None:
        return manifest
    novelty = write_reference(folder, training)
    manifest = manifest.model_copy(update={"novelty": novelty, "files": hash_files(folder)})
    write_manifest(folder, manifest)
    return manifest


def _rounded(network: Network) -> Network:
    try:
        return rounded(network)
    except ValueError as error:
        raise ModelError("model.export_failed", str(error)) from error


def fitted_temperature(graph: ov.Model, pictures: Pictures, passing: int) -> float:
    """The temperature under which the validation patches' classes are most likely; 1 where none is wrong, or there.

    Args:
        graph: The network at temperature 1.
        pictures: With the validation patches.
        passing: The column of what passes.
    """
    request = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    at_once = int(graph.inputs[0].partial_shape.to_shape()[0])
    count = len(pictures.validation) // at_once
    if not count:
        return 1.0
    strips = np.array_split(pictures.validation[: count * at_once], count)
    found = np.concatenate([np.array(request.infer({0: strip})[0]) for strip in strips])
    labels = pictures.labels[: len(found)]
    if not (columns_of(found, passing) != labels).any():
        return 1.0
    return round(fit_temperature(np.log(np.maximum(found, LEAST_VALUE)), labels), 4)


def write_artefacts(
    folder: Path, network: Network, temperature: float, pictures: Pictures, choices: Choices
) -> Quantisation:
    """Write every artefact of a rounded network into a folder; how the INT8 one was made."""
    geometry = pictures.geometry
    graph = to_openvino(network, temperature, geometry)
    strips, over, under = calibration_strips(pictures.calibration, choices.seed, geometry.patches_per_strip)
    small = quantise(graph, strips, choices.recipe)
    ov.save_model(graph, folder / ARTEFACT_FILES["openvino"][0], compress_to_fp16=True)
    ov.save_model(small, folder / ARTEFACT_FILES["openvino-int8"][0], compress_to_fp16=True)
    (folder / ARTEFACT_FILES["onnx"][0]).write_bytes(to_onnx(network, temperature, geometry))
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
    bundle: Bundle, reference: ScoringGraph, golden: Golden, meaning: Meaning, choices: Choices
) -> tuple[tuple[Parity, ...], Figures]:
    """Every artefact against the torch network on the golden set; and the figures, of OpenVINO in f32."""
    answers = _Answers(reference, open_variants(bundle))
    told = f"{golden.source}, by OpenVINO in f32"
    if isinstance(golden, GoldenPictures):
        for image in golden.images:
            answers.take(image[None])
        measured = np.concatenate(answers.found[MEASURED])
        figures = picture_figures(golden.labels, measured, meaning, choices.min_confidence, told)
        return answers.parity(meaning, ("pictures", golden.source)), figures
    parts = _judge_parts(golden, answers, bundle.manifest.layout, meaning, choices)
    return answers.parity(meaning, ("parts", golden.source)), measure(parts, told)


def _judge_parts(
    golden: GoldenParts, answers: "_Answers", geometry: Geometry, meaning: Meaning, choices: Choices
) -> list[JudgedPart]:
    rule = Rule(meaning, geometry, choices.min_confidence, golden.cutter)
    parts = []
    for scan in golden.scans:
        answers.take(rule.cutter(read_image(scan), scan))
        measured = answers.found[MEASURED][-1]
        parts.append(decide_part(scan, true_labels(scan, rule), measured, meaning, rule.min_confidence))
    return parts


class _Answers:
    """What the torch network and every artefact answer, part by part; a picture is a part of one patch."""

    def __init__(self, reference: ScoringGraph, engines: Variants) -> None:
        self._reference, self._engines = reference, engines
        self.wanted: list[Probabilities] = []
        self.found: dict[tuple[EngineName, Precision], list[Probabilities]] = {variant: [] for variant in engines}

    def take(self, patches: Pixels) -> None:
        """Ask all of them about the patches (n, height, width) of one part."""
        with torch.inference_mode():
            self.wanted.append(self._reference(torch.from_numpy(np.array(patches)))[0].numpy())
        for variant, engine in self._engines.items():
            self.found[variant].append(engine.score(patches))

    def parity(self, meaning: Meaning, of: tuple[Kind, str]) -> tuple[Parity, ...]:
        """Every artefact against the torch network."""
        return tuple(
            compare(self.wanted, answers, meaning.outputs, variant, of) for variant, answers in self.found.items()
        )


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
        classes=trained.meaning.outputs.names,
        passing=trained.meaning.table.passing.name,
        geometry=ScanGeometry.of(trained.geometry),
        temperature=temperature,
        thresholds=Thresholds(min_confidence=choices.min_confidence),
        data=trained.data,
        quantisation=quantisation,
        features=_features(trained.network, folder),
    )


def _features(network: Network, folder: Path) -> Features:
    graph = ov.Core().read_model(folder / GRAPH)
    return Features(name=network.describes, length=int(graph.output(1).partial_shape.to_shape()[1]))
