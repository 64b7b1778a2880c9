"""A bundle's card, written anew from what was measured on the bundle itself.

What the station runs is the INT8 artefact, and that is there to be measured only after the export:

    export ─▶ bundle ─▶ evaluate ─▶ recard ─▶ the same files, another card, another hash ─▶ gate ─▶ promote
"""

from collections.abc import Sequence
from pathlib import Path

from models.evaluation.measuring.evaluation import Evaluation
from models.manifest import CARD, Bundle, Manifest, hash_files, write_manifest
from models.release.card import card_text
from models.release.new_folder import new_folder
from station.core.errors import ModelError


def recard(bundle: Bundle, evaluations: Sequence[Evaluation], folder: Path) -> Manifest:
    """Copy a bundle with a card that holds its evaluations.

    Args:
        bundle: Keeps its name and every file but card and manifest.
        evaluations: Of this bundle, in the order of the card.
        folder: Where the copy goes; nothing may be there.

    Returns:
        The copy's manifest; its hash is another one, for it names the card's.

    Raises:
        ModelError: `model.exists`; `model.export_failed` for an evaluation of another bundle; `config.file_failed`.
    """
    for evaluation in evaluations:
        if evaluation.subject.name != str(bundle.identity):
            said = (
                f"the evaluation on {evaluation.source.name} is of {evaluation.subject.name}, not of {bundle.identity}"
            )
            raise ModelError("model.export_failed", said)
    with new_folder(folder) as staged:
        for name in bundle.manifest.files.keys() - {CARD}:
            (staged / name).write_bytes(bundle.read(name))
        (staged / CARD).write_text(card_text(bundle.manifest, evaluations), encoding="utf-8")
        manifest = bundle.manifest.model_copy(update={"files": hash_files(staged)})
        write_manifest(staged, manifest)
    return manifest
