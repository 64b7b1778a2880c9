"""A checkpoint becomes a bundle: every artefact, the temperature, parity and figures, the card, and the manifest.

The bundle is made in a folder beside its place and renamed when it is whole; a bundle that is there is never touched.
Needs torch and NNCF.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import openvino as ov

from models.engines import ARTEFACT_OF
from models.evaluation.figures.calibration import fit_temperature
from models.evaluation.measuring.evaluation import Evaluation
from models.manifest import (
    ARTEFACT_FILES,
    CARD,
    GRAPH,
    Artefact,
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
from models.meaning import NAMES, Meaning, meaning_of, own_table, unconfigurable
from models.networks import NETWORKS
from models.networks.layers import Network
from models.novelty.learnt import TrainingPatches
from models.novelty.reference import write_reference
from models.novelty.sections import Features
from models.release.card import card_text
from models.release.golden import Golden
from models.release.graphs import ScoringGraph, rounded, to_onnx, to_openvino, to_state
from models.release.int8 import Int8, with_int8
from models.release.new_folder import new_folder
from models.release.pictures import Pictures, light_level
from models.release.quantise import QuantisationRecipe
from models.release.runners import open_variants
from models.release.yardstick import Yardstick
from models.training.checkpoint import CheckpointInfo, load_network
from models.version import code_version
from station.core.choices import EngineName, Precision
from station.core.errors import ModelError
from station.core.geometry import Geometry
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
        recipes: How INT8 is made, to be tried in turn.
        min_confidence: Least confidence of a part with which the figures are counted.
        seed: Of the calibration's exposures.
        evaluations: Of the checkpoint, for the card.
    """

    number: int
    licence: str
    recipes: tuple[QuantisationRecipe, ...]
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
            its images are no patches, or its structure is not learnt to the end.
    """
    network, info = load_network(checkpoint)
    if not network.settled:
        told = "its training was ended before its structure was settled; train it to the end"
        raise ModelError("model.export_failed", f"{checkpoint}: {info.network}: {told}")
    said = info.data
    data = Data(
        source=source or said.source,
        sha256=said.sha256,
        parts=said.parts,
        patches=said.patches,
        epochs=info.epochs_done,
        patches_per_epoch=info.plan.items_per_epoch or said.patches,
        seed=info.plan.seed,
        begun_with=info.plan.init or None,
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


def refuse_unserved(network: str, engine: EngineName, precision: Precision) -> None:
    """Refuse a network that an engine, as the station would run it, cannot run.

    Raises:
        ModelError: `model.export_failed`, with the engine and those that can.
    """
    unserved = dict(NETWORKS[network].unserved)
    reason = unserved.get(ARTEFACT_OF.get((engine, precision), ""))
    if reason is None:
        return
    can = ", ".join(f"{name} {arithmetic}" for (name, arithmetic), made in ARTEFACT_OF.items() if made not in unserved)
    raise ModelError(
        "model.export_failed",
        f"{engine} in {precision}, which is chosen, cannot run {network}: {reason}. Choose one of {can} with --engine "
        f"and --precision, and the same in [model] of the station",
    )


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
        plain = to_openvino(network, 1.0, pictures.geometry)
        temperature = fitted_temperature(plain, pictures, trained.meaning.passing)
        graph = to_openvino(network, temperature, pictures.geometry)
        write_artefacts(staged, network, graph, temperature, pictures.geometry, ARTEFACT_FILES)
        manifest = _manifest(trained, choices, folder.name, temperature, staged)
        manifest = manifest.model_copy(update={"light_level": light_level(pictures, trained.meaning)})
        yardstick = Yardstick.ask(
            ScoringGraph(network, temperature), golden, trained.meaning, trained.geometry, choices.min_confidence
        )
        small = Int8(manifest, None)
        if "openvino-int8" not in dict(NETWORKS[trained.name].unserved):
            small = with_int8(staged, manifest, graph, pictures, yardstick, choices.recipes, choices.seed)
        else:
            write_manifest(staged, manifest)
        manifest = _with_reference(staged, small.manifest, training)
        parity, figures = judge_golden(load_bundle(staged), yardstick)
        left_out = () if small.left_out is None else (small.left_out,)
        manifest = manifest.model_copy(update={"parity": (*parity, *left_out), "figures": figures})
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
    folder: Path,
    network: Network,
    graph: ov.Model,
    temperature: float,
    geometry: Geometry,
    files: Mapping[Artefact, tuple[str, ...]],
) -> None:
    """Write every artefact of a rounded network but that of INT8 into a folder, under its names in `files`."""
    ov.save_model(graph, folder / files["openvino"][0], compress_to_fp16=True)
    (folder / files["onnx"][0]).write_bytes(to_onnx(network, temperature, geometry))
    (folder / files["torch"][0]).write_bytes(to_state(network))


def judge_golden(bundle: Bundle, yardstick: Yardstick) -> tuple[tuple[Parity, ...], Figures]:
    """Every artefact against the torch network on the golden set; and the figures, of OpenVINO in f32.

    Raises:
        ModelError: An artefact cannot be run.
        RecordingError: A golden part cannot be read.
    """
    answers = {variant: yardstick.answers(scorer) for variant, scorer in open_variants(bundle).items()}
    parity = tuple(yardstick.parity(found, variant) for variant, found in answers.items())
    told = f"{yardstick.golden.source}, by OpenVINO in f32"
    return parity, yardstick.figures(answers[MEASURED], told)


def _manifest(trained: Trained, choices: Choices, name: str, temperature: float, folder: Path) -> Manifest:
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
        features=_features(trained.network, folder),
    )


def _features(network: Network, folder: Path) -> Features:
    graph = ov.Core().read_model(folder / GRAPH)
    return Features(name=network.describes, length=int(graph.output(1).partial_shape.to_shape()[1]))
