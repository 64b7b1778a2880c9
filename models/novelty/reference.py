"""Writes `novelty.npz` for the artefacts of a bundle that is being made."""

from pathlib import Path

import numpy as np

from models.engines import make_engine
from models.manifest import load_bundle
from models.novelty.file import pack_known
from models.novelty.fit import Learnt, fit_known
from models.novelty.learnt import TrainingPatches
from models.novelty.sections import NOVELTY, NoveltyReference
from station.core.choices import Precision
from station.core.errors import BugError
from station.core.part import Pixels, Vectors
from station.core.ports.network import PatchClassifier
from station.core.settings import ModelSettings


def write_reference(folder: Path, training: TrainingPatches) -> NoveltyReference:
    """Write what some patches of the training are like beside a network's artefacts; about a minute for some thousand.

    Args:
        folder: A bundle whose manifest names features, and no reference yet.
        training: The patches.

    Returns:
        What the manifest is to say of it.

    Raises:
        ModelError: The bundle cannot be run.
        OSError: The file cannot be written.
    """
    bundle = load_bundle(folder)
    precision: Precision = "int8" if "openvino-int8" in bundle.manifest.artefacts else "f32"  # as the station runs it
    network = make_engine(bundle, ModelSettings(bundle=bundle.manifest.name, engine="openvino", precision=precision))
    learnt = Learnt(training.patches, features_of(network, training.patches), training.classes)
    (folder / NOVELTY).write_bytes(pack_known(fit_known(learnt, training.seed), training.trained))
    return NoveltyReference(source=training.source, patches=len(training.patches), seed=training.seed)


def features_of(network: PatchClassifier, patches: Pixels) -> Vectors:
    """What a network sees of patches (n, height, width), (n, values); where they fill no strip the last is repeated.

    Raises:
        ModelError: The network fails.
        BugError: It tells no features.
    """
    at_once = network.geometry.patches_per_strip
    padded = np.concatenate([patches, np.repeat(patches[-1:], -len(patches) % at_once, axis=0)])
    answers = [network.answer(padded[at : at + at_once]).features for at in range(0, len(padded), at_once)]
    told = [features for features in answers if features is not None]
    if len(told) < len(answers):
        raise BugError("station.bug", f"{network.model.name} tells no features")
    return np.concatenate(told)[: len(patches)]
