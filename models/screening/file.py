"""A bundle's `screener-novelty.npz`: what patches of the training were like to the screener; never a pickle.

Arrays by name: mean, whitening and unit, as in `novelty.npz`.
"""

import io
import zipfile
from typing import Any

import numpy as np

from models.manifest import Bundle
from models.screening.sections import SCREENER_NOVELTY
from station.core.errors import ModelError
from station.core.novelty.known import Whitened
from station.core.novelty.surface import count_measures


def pack_space(space: Whitened) -> bytes:
    """The content of the file."""
    content = io.BytesIO()
    arrays: dict[str, Any] = {
        "mean": space.mean,
        "whitening": space.whitening,
        "unit": np.array([space.unit], np.float32),
    }
    np.savez_compressed(content, allow_pickle=False, **arrays)
    return content.getvalue()


def read_space(bundle: Bundle) -> Whitened | None:
    """What a bundle's screener was trained on; None where the bundle cannot tell unknown parts.

    Raises:
        ModelError: `model.wrong_hash` or `model.missing` for the file, `model.bad_manifest` where it cannot be used.
    """
    manifest = bundle.manifest
    screener = manifest.screener
    if screener is None or screener.novelty is None or screener.features is None:
        return None
    where = bundle.folder / SCREENER_NOVELTY
    try:
        with np.load(io.BytesIO(bundle.read(SCREENER_NOVELTY)), allow_pickle=False) as archive:
            mean, whitening, unit = (np.asarray(archive[name], np.float32) for name in ("mean", "whitening", "unit"))
    except (ValueError, TypeError, EOFError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError("model.bad_manifest", f"{where}: {error}") from error
    values = count_measures(manifest.geometry.patch_px) + screener.features.length
    if mean.shape != (values,) or whitening.shape != (values, values) or unit.shape != (1,):
        told = f"it is of {mean.size} values a patch; looks and features of this screener are {values}"
        raise ModelError("model.bad_manifest", f"{where}: {told}")
    return Whitened(mean, whitening, float(unit[0]))
