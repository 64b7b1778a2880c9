"""The network at run time: OpenVINO, no torch.

Always scores one strip at a time, with the same arithmetic, so that a decision can be repeated bit for bit on the same
engine and processor.
"""

from pathlib import Path

import numpy as np
import openvino as ov

from models.manifest import GRAPH, WEIGHTS, Bundle
from station.core.errors import BugError, ModelError
from station.core.part import PATCH_PX, PATCHES_PER_STRIP, ModelIdentity, Pixels, Probabilities, SurfaceClass
from station.core.settings import ModelSettings

INPUT_SHAPE = (PATCHES_PER_STRIP, PATCH_PX, PATCH_PX)
OUTPUT_SHAPE = (PATCHES_PER_STRIP, len(SurfaceClass))
SUM_TOLERANCE = 1e-3
"""By how much a row of probabilities may miss 1."""


class OpenVinoClassifier:
    """Scores patches with a verified bundle; a `PatchClassifier`. Blocking; for one thread.

    Args:
        bundle: What to run; its files are checked once more as they are loaded.
        settings: Threads and arithmetic of the engine; which bundle they name does not matter.
        cache_dir: Where the engine keeps compiled networks, to start faster; None for nowhere.

    Raises:
        ModelError: A file is not the one that the manifest names, or the engine cannot run the network.
    """

    def __init__(self, bundle: Bundle, settings: ModelSettings, cache_dir: Path | None = None) -> None:
        self._identity = bundle.identity
        options: dict[str, str | int] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": settings.precision,
            "NUM_STREAMS": 1,
        }
        if settings.threads:
            options["INFERENCE_NUM_THREADS"] = settings.threads
        if cache_dir is not None:
            options["CACHE_DIR"] = str(cache_dir)
        graph, weights = bundle.read(GRAPH), bundle.read(WEIGHTS)
        try:
            network = ov.Core().read_model(graph, weights)
            _check_shapes(network)
            self._request = ov.Core().compile_model(network, "CPU", options).create_infer_request()
        except RuntimeError as error:
            raise ModelError("model.engine_failed", f"{bundle.folder}: {error}") from error

    @property
    def model(self) -> ModelIdentity:
        """Which network this is."""
        return self._identity

    def warm_up(self) -> None:
        """Run once on zeros, so that the first part is not slower than the others.

        Raises:
            ModelError: The engine fails.
        """
        self.score(np.zeros(INPUT_SHAPE, np.uint8))

    def score(self, patches: Pixels) -> Probabilities:
        """Probabilities (2, 5) float32 of one strip's patches (2, 256, 256) uint8; each row sums to 1.

        Raises:
            ModelError: The engine fails or answers with no probabilities.
            BugError: The patches are of another shape or type.
        """
        if patches.shape != INPUT_SHAPE or patches.dtype != np.uint8:
            raise BugError("station.bug", f"patches are {patches.dtype} {patches.shape}, not uint8 {INPUT_SHAPE}")
        try:
            answer = self._request.infer({0: np.ascontiguousarray(patches)})[0]
        except RuntimeError as error:
            raise ModelError("model.engine_failed", str(error)) from error
        return check_probabilities(np.array(answer, np.float32))


def check_probabilities(answer: Probabilities) -> Probabilities:
    """The answer itself, if it is a set of probabilities (2, 5).

    Raises:
        ModelError: It has another shape, is not finite, lies outside 0 to 1, or a row does not sum to 1.
    """
    if answer.shape != OUTPUT_SHAPE:
        raise ModelError("model.bad_scores", f"the answer is {answer.shape}, not {OUTPUT_SHAPE}")
    in_range = np.isfinite(answer).all() and (answer >= 0).all() and (answer <= 1 + SUM_TOLERANCE).all()
    if not in_range or np.abs(answer.sum(axis=1) - 1).max() > SUM_TOLERANCE:
        raise ModelError("model.bad_scores", f"no probabilities: {answer.tolist()}")
    return answer


def _check_shapes(network: ov.Model) -> None:
    inputs, outputs = network.inputs, network.outputs
    found = [(port.element_type.to_string(), tuple(port.partial_shape.to_shape())) for port in (*inputs, *outputs)]
    if found != [("u8", INPUT_SHAPE), ("f32", OUTPUT_SHAPE)]:
        raise ModelError(
            "model.bad_manifest", f"the graph's ports are {found}, not u8 {INPUT_SHAPE}, f32 {OUTPUT_SHAPE}"
        )
