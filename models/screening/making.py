"""A checkpoint becomes the screener of a bundle: its artefacts, temperature, what it was trained on, and the card.

The bundle's own files stay byte for byte what they were. What was calibrated and promised of its network alone does not
hold for the pair and is left behind: `station model calibrate` and `promise` make both anew. Needs torch and NNCF.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openvino as ov

from models.chapters import with_chapter
from models.manifest import CARD, Bundle, Manifest, hash_files, write_manifest
from models.novelty.fit import whitened
from models.novelty.learnt import TrainingPatches
from models.novelty.sections import Features
from models.release.export import Choices, Trained, fitted_temperature, write_artefacts
from models.release.graphs import rounded, to_openvino
from models.release.new_folder import new_folder
from models.release.pictures import Pictures
from models.release.quantise import calibration_strips, quantise
from models.screening.file import pack_space
from models.screening.sections import SCREENER_FILES, SCREENER_NOVELTY, Screener
from models.screening.words import chapter
from station.core.errors import ModelError
from station.core.novelty.known import described
from station.core.part import Pixels, Vectors


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a screener is made of.

    Attributes:
        trained: The checkpoint's network with what is known of its training.
        pictures: To calibrate INT8 with, and to fit the temperature on.
        training: Of what it was trained on; None leaves a bundle that tells unknown parts without a screener.
    """

    trained: Trained
    pictures: Pictures
    training: TrainingPatches | None


def add_screener(bundle: Bundle, learnt: Learnt, choices: Choices, folder: Path) -> Manifest:
    """Copy a bundle with a screener, unproven as yet; a minute or two.

    Args:
        bundle: Keeps its network; a screener that it had is replaced.
        learnt: What the screener is made of.
        choices: Number, recipes, of which the first is taken, and seed; the rest does not matter.
        folder: The copy's folder, whose name becomes the bundle's; nothing may be there.

    Raises:
        ModelError: `model.exists`, `config.file_failed`; `model.export_failed` where the two do not answer the same
            classes or take the same patches, or the bundle tells unknown parts and the screener could not.
    """
    _require_alike(bundle, learnt)
    kept = bundle.manifest.files.keys() - _left_behind(bundle)
    with new_folder(folder) as staged:
        for name in kept:
            (staged / name).write_bytes(bundle.read(name))
        screener = _write(staged, bundle, learnt, choices)
        update = {"name": folder.name, "version": choices.number, "screener": screener}
        manifest = bundle.manifest.model_copy(update=update | {"calibration": None, "promise": None})
        if CARD in bundle.manifest.files:
            (staged / CARD).write_text(with_chapter(bundle.read(CARD).decode(), chapter(manifest)), "utf-8")
        manifest = manifest.model_copy(update={"files": hash_files(staged)})
        write_manifest(staged, manifest)
    return manifest


def _left_behind(bundle: Bundle) -> set[str]:
    manifest = bundle.manifest
    measured = {part.file for part in (manifest.calibration, manifest.promise) if part is not None}
    return measured | {CARD} | (manifest.screener.files if manifest.screener else set())


def _require_alike(bundle: Bundle, learnt: Learnt) -> None:
    manifest, trained = bundle.manifest, learnt.trained
    pairs = {
        "classes": (trained.meaning.outputs.names, manifest.classes),
        "geometry": (trained.geometry, manifest.layout),
    }
    for what, (its, own) in pairs.items():
        if its != own:
            raise ModelError("model.export_failed", f"the screener's {what}: {its}; those of {bundle.folder}: {own}")
    if manifest.novelty is not None and learnt.training is None:
        told = (
            f"{bundle.folder} tells unknown parts: its screener needs a data set (--data) that it was trained on, too"
        )
        raise ModelError("model.export_failed", told)


def _write(folder: Path, bundle: Bundle, learnt: Learnt, choices: Choices) -> Screener:
    trained, pictures = learnt.trained, learnt.pictures
    try:
        network = rounded(trained.network)
    except ValueError as error:
        raise ModelError("model.export_failed", str(error)) from error
    geometry = pictures.geometry
    plain = to_openvino(network, 1.0, geometry)
    temperature = fitted_temperature(plain, pictures, trained.meaning.passing)
    graph = to_openvino(network, temperature, geometry)
    write_artefacts(folder, network, graph, temperature, geometry, SCREENER_FILES)
    strips, _over, _under = calibration_strips(pictures.calibration, choices.seed, geometry.patches_per_strip)
    small = quantise(graph, strips, choices.recipes[0])
    ov.save_model(small, folder / SCREENER_FILES["openvino-int8"][0], compress_to_fp16=True)
    tells = bundle.manifest.novelty is not None
    if tells and learnt.training is not None:
        _write_space(folder, learnt.training)
    return Screener(
        network=trained.name,
        artefacts=SCREENER_FILES,
        classes=bundle.manifest.classes,
        geometry=bundle.manifest.layout,
        normalisation=bundle.manifest.normalisation,
        temperature=temperature,
        source=trained.data.source,
        parts=trained.data.parts,
        epochs=trained.data.epochs,
        features=Features(name=network.describes, length=int(graph.output(1).partial_shape.to_shape()[1])),
        novelty=SCREENER_NOVELTY if tells else None,
    )


def _write_space(folder: Path, training: TrainingPatches) -> None:
    """What the training's patches are like to the screener in INT8, as the station runs it."""
    patches = training.patches
    order = np.random.default_rng(training.seed).permutation(len(patches))
    makes, checks = order[: len(order) // 2], order[len(order) // 2 :]
    vectors = described(patches, _features(folder / SCREENER_FILES["openvino-int8"][0], patches))
    (folder / SCREENER_NOVELTY).write_bytes(pack_space(whitened(vectors[makes], vectors[checks])))


def _features(graph: Path, patches: Pixels) -> Vectors:
    """What a graph sees of patches (n, height, width), (n, values); where they fill no strip the last is repeated."""
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    request = ov.Core().compile_model(graph, "CPU", options).create_infer_request()
    at_once = int(request.input_tensors[0].shape[0])
    padded = np.concatenate([patches, np.repeat(patches[-1:], -len(patches) % at_once, axis=0)])
    strips = [padded[at : at + at_once] for at in range(0, len(padded), at_once)]
    return np.concatenate([np.array(request.infer({0: strip})[1], np.float32) for strip in strips])[: len(patches)]
