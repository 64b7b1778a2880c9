"""Writes a copy of a bundle with what was proven of its screener."""

from pathlib import Path

from models.chapters import with_chapter
from models.manifest import CARD, Bundle, Manifest, hash_files, write_manifest
from models.release.new_folder import new_folder
from models.screening.sections import Artefact, ScreenerProof
from models.screening.words import chapter


def write_proven(bundle: Bundle, proof: ScreenerProof, folder: Path) -> Manifest:
    """Copy a bundle with a proof in place of that for the same engine and precision.

    Args:
        bundle: With a screener; keeps its name and every file but card and manifest.
        proof: What was proven.
        folder: Where the copy goes; nothing may be there.

    Returns:
        The copy's manifest; its hash is another one.

    Raises:
        ModelError: `model.exists`, `config.file_failed`, `model.missing` without a screener, or a file of the bundle
            cannot be used.
    """
    screener = bundle.screener
    kept = [one for one in screener.proofs if (one.engine, one.precision) != (proof.engine, proof.precision)]
    screener = screener.model_copy(update={"proofs": (*kept, proof)})
    manifest = bundle.manifest.model_copy(update={"screener": screener})
    with new_folder(folder) as staged:
        for name in bundle.manifest.files.keys() - {CARD}:
            (staged / name).write_bytes(bundle.read(name))
        if CARD in bundle.manifest.files:
            (staged / CARD).write_text(with_chapter(bundle.read(CARD).decode(), chapter(manifest)), "utf-8")
        manifest = manifest.model_copy(update={"files": hash_files(staged)})
        write_manifest(staged, manifest)
    return manifest


def files_run(bundle: Bundle, artefact: Artefact) -> dict[str, str]:
    """The files of both networks that an artefact is made of, with their SHA-256; and what was trained on.

    Args:
        bundle: With a screener.
        artefact: As engines name them.

    Raises:
        ModelError: `model.missing` without a screener.
    """
    manifest, screener = bundle.manifest, bundle.screener
    names = {*manifest.artefacts.get(artefact, ()), *screener.artefacts.get(artefact, ())}
    names |= {screener.novelty} if screener.novelty else set()
    return {name: manifest.files[name] for name in sorted(names)}
