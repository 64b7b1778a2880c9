"""Starts each engine in each precision that the shipped bundle offers, or skips with the reason."""

from pathlib import Path
from typing import Any

import pytest

from models.engines import BundleClassifier, choices, make_engine
from models.manifest import load_bundle
from models.weights import SHIPPED, bundle_folder
from station.core.errors import ModelError
from station.core.settings import ModelSettings

CHOICES = choices(load_bundle(bundle_folder(SHIPPED)))
"""(engine, precision) of everything that the shipped bundle has an artefact for."""

EACH_CHOICE = [
    pytest.param(choice, id="-".join(choice), marks=pytest.mark.training if choice[0] == "torch" else ())
    for choice in CHOICES
]
"""The same as parameters of tests; what needs the extra `train` is marked."""

MAY_BE_ABSENT = {("torch", "f32"), ("openvino", "bf16")}
"""An extra, and what not every processor has; anything else that cannot run is a failure."""


def start(engine: str, precision: str, cache_dir: Path | None = None, **more: Any) -> BundleClassifier:
    """The shipped bundle on an engine, with one thread if nothing else is said; skips what may be absent and is."""
    chosen = ModelSettings.model_validate(
        {"bundle": SHIPPED, "engine": engine, "precision": precision, "threads": 1, **more}
    )
    try:
        return make_engine(load_bundle(bundle_folder(SHIPPED)), chosen, cache_dir)
    except ModelError as error:
        if error.code == "model.engine_unavailable" and (engine, precision) in MAY_BE_ABSENT:
            pytest.skip(error.detail)
        raise
