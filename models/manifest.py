"""The manifest of a model bundle: what the network is, how it is fed, what it reached, and the hash of every file.

BUNDLE/manifest.json      this manifest; its own SHA-256 identifies the model in every record
BUNDLE/model.xml, .bin    the network as OpenVINO IR
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from station.core.errors import ModelError
from station.core.part import ModelIdentity, SurfaceClass

MANIFEST = "manifest.json"
GRAPH, WEIGHTS = "model.xml", "model.bin"
CLASSES = tuple(surface.label for surface in SurfaceClass)
"""The station's classes in the order in which a network must answer."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]


class Section(BaseModel):
    """A part of the manifest: frozen, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Input(Section):
    """What the network takes: one strip's patches, raw grey values."""

    dtype: Literal["uint8"] = "uint8"
    batch: Literal[2] = 2
    height: Literal[256] = 256
    width: Literal[256] = 256
    channels: Literal[1] = 1


class Geometry(Section):
    """How patches are made from a scan; any other way than the station's is refused."""

    blocks: Literal[8] = 8
    lines_per_block: Literal[448] = 448
    strip_height: Literal[256] = 256
    strip_width: Literal[512] = 512
    interpolation: Literal["INTER_AREA"] = "INTER_AREA"


class Data(Section):
    """What the network was trained on."""

    source: str = Field(..., description="Where the pictures come from.")
    parts: int = Field(..., ge=1, description="Parts.")
    patches: int = Field(..., ge=1, description="Patches that were cut from them.")
    epochs: int = Field(..., ge=1, description="Epochs after which these weights were kept.")
    patches_per_epoch: int = Field(..., ge=1, description="Patches drawn in each of them.")
    seed: int = Field(..., ge=0, description="Seed of weights, draws and augmentation.")


class Figures(Section):
    """What the network reached on parts that it was not trained on, as counts."""

    source: str = Field(..., description="The pictures it was measured on.")
    patches: int = Field(..., ge=1, description="Patches judged; slivers of a defect are left out.")
    wrong_patches: int = Field(..., ge=0, description="Of them judged wrongly.")
    parts: int = Field(..., ge=1, description="Parts judged by the most certain patch (Algorithm 1).")
    defective_parts: int = Field(..., ge=0, description="Of them with a defect.")
    escapes: int = Field(..., ge=0, description="Defective parts called defect-free.")
    overkills: int = Field(..., ge=0, description="Defect-free parts called defective.")
    wrong_class: int = Field(..., ge=0, description="Defective parts called defective, but of another class.")

    @property
    def patch_accuracy(self) -> float:
        """Share of the patches judged rightly."""
        return 1 - self.wrong_patches / self.patches

    @property
    def part_accuracy(self) -> float:
        """Share of the parts judged rightly."""
        return 1 - (self.escapes + self.overkills + self.wrong_class) / self.parts


class Manifest(Section):
    """Everything that is known of a bundle."""

    format: Annotated[Literal[1], Field(description="Version of this manifest's layout.")] = 1
    name: Name = Field(..., description="Name of the bundle.")
    network: Name = Field(..., description="Architecture, a key of `models.networks.NETWORKS`.")
    version: int = Field(..., ge=1, description="Counts the bundles of this network.")
    created: datetime = Field(..., description="When it was exported, UTC.")
    code_version: str = Field(..., min_length=1, description="Version of the code that trained and exported it.")
    licence: str = Field(..., min_length=1, description="SPDX name of the weights' licence.")
    files: dict[str, Sha256] = Field(..., min_length=1, description="SHA-256 of every file of the bundle.")
    classes: tuple[str, ...] = Field(..., description="Meaning of the outputs, in their order.")
    input: Input = Input()
    geometry: Geometry = Geometry()
    normalisation: Literal["pixel/255, inside the graph"] = "pixel/255, inside the graph"
    temperature: Annotated[
        float, Field(gt=0, description="Divides the logits before the softmax, inside the graph.")
    ] = 1.0
    data: Data
    figures: Annotated[Figures | None, Field(description="None until it has been measured.")] = None

    @model_validator(mode="after")
    def _names_plain_files(self) -> "Manifest":
        strange = [name for name in self.files if PurePosixPath(name).name != name or name == MANIFEST]
        if strange:
            raise ValueError(f"files outside the bundle: {', '.join(strange)}")
        missing = {GRAPH, WEIGHTS} - self.files.keys()
        if missing:
            raise ValueError(f"files names no {' and no '.join(sorted(missing))}")
        return self


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose every file was found to be the one that its manifest names.

    Attributes:
        folder: Where it lies.
        manifest: What it says of itself.
        identity: Its name and the SHA-256 of its manifest.
    """

    folder: Path
    manifest: Manifest
    identity: ModelIdentity

    def read(self, name: str) -> bytes:
        """The content of a file, checked again, so that what is used is what was named.

        Raises:
            ModelError: The file is missing or is not the one that the manifest names.
        """
        content = _read(self.folder / name)
        found, named = hashlib.sha256(content).hexdigest(), self.manifest.files[name]
        if found != named:
            raise ModelError(
                "model.wrong_hash", f"{self.folder / name} has SHA-256 {found}, the manifest names {named}"
            )
        return content


def load_bundle(folder: Path) -> Bundle:
    """A bundle, after every one of its files was compared with the manifest. Reads all of them; blocking.

    Raises:
        ModelError: `model.missing` for the folder or a file of it, `model.wrong_hash` for another file than named,
            `model.bad_manifest` for a manifest that cannot be read, or whose classes are not the station's.
    """
    if not folder.is_dir():
        raise ModelError("model.missing", f"no folder {folder}")
    text = _read(folder / MANIFEST)
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise ModelError("model.bad_manifest", f"{folder / MANIFEST}: {_explain(error)}") from error
    _check_classes(folder, manifest.classes)
    bundle = Bundle(folder, manifest, ModelIdentity(manifest.name, hashlib.sha256(text).hexdigest()))
    for name in manifest.files:
        bundle.read(name)
    return bundle


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a manifest into a bundle's folder.

    Raises:
        OSError: It cannot be written.
    """
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")


def hash_files(folder: Path, names: tuple[str, ...] = (GRAPH, WEIGHTS)) -> dict[str, str]:
    """SHA-256 of files in a folder, by name.

    Raises:
        ModelError: One is missing.
    """
    return {name: hashlib.sha256(_read(folder / name)).hexdigest() for name in names}


def utc_now() -> datetime:
    """The time for `created`, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def _check_classes(folder: Path, classes: tuple[str, ...]) -> None:
    if unknown := sorted(set(classes) - set(CLASSES)):
        raise ModelError("model.bad_manifest", f"{folder / MANIFEST}: unknown classes {', '.join(unknown)}")
    if classes != CLASSES:
        order = ", ".join(CLASSES)
        raise ModelError("model.bad_manifest", f"{folder / MANIFEST}: classes are {', '.join(classes)}, not {order}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError("model.missing", f"no file {path}") from error
    except OSError as error:
        raise ModelError("model.missing", f"{path} cannot be read: {error.strerror}") from error


def _explain(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, item['loc'])) or 'manifest'}: {item['msg']}" for item in error.errors())
