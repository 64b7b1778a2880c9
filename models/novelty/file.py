"""A bundle's `novelty.npz` and `calibration.json`, written and read; never a pickle.

novelty.npz       arrays by name: mean, whitening and unit, the prototypes, and the first eight bytes of the SHA-256 of
                  every scan that was trained on
calibration.json  by part type the rising scores of good parts, their scans' SHA-256, what they are and what measured
                  them
"""

import io
import zipfile
from datetime import datetime
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from models.manifest import Bundle, Sha256
from models.novelty.sections import CALIBRATION, NOVELTY
from station.core.errors import ModelError
from station.core.novelty.conformal import Calibration
from station.core.novelty.known import KnownSurfaces, Prototypes, Whitened
from station.core.novelty.surface import count_measures
from station.core.section import Section

Hashes = NDArray[np.uint64]
"""The first eight bytes of some SHA-256."""


class CalibratedParts(Section):
    """Good parts of one type."""

    source: str = Field(..., min_length=1, description="What they are, for people.")
    made: datetime = Field(..., description="When they were measured, UTC.")
    measured_by: str = Field(..., min_length=1, description="Engine and precision.")
    scores: Annotated[tuple[float, ...], Field(min_length=1, description="One a part, rising.")]
    scans: tuple[Sha256, ...] = Field(..., description="SHA-256 of the scans, one a part.")

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if list(self.scores) != sorted(self.scores) or len(self.scores) != len(self.scans):
            raise ValueError(f"{len(self.scores)} scores of {len(self.scans)} scans, which are to rise")
        return self


class CalibrationDocument(Section):
    """The whole of `calibration.json`."""

    format: Literal[1] = 1
    types: dict[str, CalibratedParts] = Field(..., min_length=1, description="By part type.")


def pack_known(known: KnownSurfaces, trained: Hashes) -> bytes:
    """The content of `novelty.npz`; the calibrations are not in it."""
    prototypes, content = known.prototypes, io.BytesIO()
    arrays: dict[str, Any] = {
        "mean": known.space.mean,
        "whitening": known.space.whitening,
        "unit": np.array([known.space.unit], np.float32),
        "places": prototypes.places,
        "pictures": prototypes.pictures,
        "classes": np.array(prototypes.classes, np.str_),
        "trained": trained,
    }
    np.savez_compressed(content, allow_pickle=False, **arrays)
    return content.getvalue()


def read_known(bundle: Bundle) -> KnownSurfaces | None:
    """What a bundle's network was trained on, and its calibrations; None where the bundle does not tell.

    Raises:
        ModelError: `model.wrong_hash` or `model.missing` for a file, `model.bad_manifest` where one cannot be used.
    """
    manifest = bundle.manifest
    if manifest.novelty is None or manifest.features is None:
        return None
    arrays = _arrays(bundle)
    try:
        places, pictures = np.asarray(arrays["places"], np.float32), np.asarray(arrays["pictures"], np.uint8)
        prototypes = Prototypes(places, pictures, tuple(map(str, arrays["classes"])))
        mean, whitening, unit = (np.asarray(arrays[name], np.float32) for name in ("mean", "whitening", "unit"))
    except KeyError as error:
        raise ModelError("model.bad_manifest", f"{bundle.folder / NOVELTY}: there is no {error.args[0]}") from error
    values = count_measures(manifest.geometry.patch_px) + manifest.features.length
    if mean.shape != (values,) or whitening.shape != (values, values) or places.shape[1:] != (values,):
        told = f"it is of {mean.size} values a patch; looks and features of this network are {values}"
        raise ModelError("model.bad_manifest", f"{bundle.folder / NOVELTY}: {told}")
    return KnownSurfaces(Whitened(mean, whitening, float(unit[0])), prototypes, read_calibrations(bundle))


def read_trained(bundle: Bundle) -> Hashes:
    """Which scans a bundle's network was trained on; none where the bundle does not tell.

    Raises:
        ModelError: As `read_known`.
    """
    return np.asarray(_arrays(bundle)["trained"], np.uint64) if bundle.manifest.novelty else np.zeros(0, np.uint64)


def read_calibrations(bundle: Bundle) -> dict[str, Calibration]:
    """What good parts came to, by part type; empty where nobody measured it.

    Raises:
        ModelError: As `read_known`.
    """
    sha256 = bundle.manifest.files.get(CALIBRATION, "")
    return {
        name: Calibration(parts.scores, sha256, parts.measured_by)
        for name, parts in read_calibrated_parts(bundle).items()
    }


def read_calibrated_parts(bundle: Bundle) -> dict[str, CalibratedParts]:
    """The same with all that is known of the parts.

    Raises:
        ModelError: As `read_known`.
    """
    if bundle.manifest.calibration is None:
        return {}
    try:
        return CalibrationDocument.model_validate_json(bundle.read(CALIBRATION)).types
    except ValidationError as error:
        raise ModelError("model.bad_manifest", f"{bundle.folder / CALIBRATION}: {error}") from error


def short_hashes(sha256s: "list[str]") -> Hashes:
    """The first eight bytes of SHA-256s in hexadecimal, sorted, each once."""
    return np.unique(np.array([int(sha256[:16], 16) for sha256 in sha256s], np.uint64))


def _arrays(bundle: Bundle) -> dict[str, NDArray[np.generic]]:
    try:
        with np.load(io.BytesIO(bundle.read(NOVELTY)), allow_pickle=False) as archive:
            return dict(archive)
    except (ValueError, TypeError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise ModelError("model.bad_manifest", f"{bundle.folder / NOVELTY}: {error}") from error
