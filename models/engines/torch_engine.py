"""PyTorch in eager mode, in f32: the yardstick that the other engines are compared with, from the extra `train`.

Importing this imports torch. Scaling, temperature and softmax, which the other artefacts have inside, are added here.
"""

import io
import pickle
from typing import Any

import torch

from models.engines.engine import Engine
from models.engines.processor import instruction_set
from models.manifest import Bundle, Manifest
from models.networks import NETWORKS
from station.core.errors import ModelError
from station.core.part import Answer, EngineIdentity, Pixels
from station.core.settings import ModelSettings

WHITE = 255.0


class TorchEngine(Engine):
    """A bundle's network in torch.

    Args:
        bundle: What to run.
        settings: Threads, which are torch's in this whole process; pinning is not offered here.

    Raises:
        ModelError: The file is not the one that the manifest names, is no state dict, or does not fit the network.
    """

    def __init__(self, bundle: Bundle, settings: ModelSettings) -> None:
        if settings.threads:
            torch.set_num_threads(settings.threads)
        (content,) = bundle.read_artefact("torch")
        self._network = _network(bundle.manifest, content)
        self._temperature = bundle.manifest.temperature
        self._tells = bundle.manifest.features is not None
        version = str(torch.__version__).partition("+")[0]
        super().__init__(bundle, EngineIdentity("torch", version, "f32", instruction_set()))

    def _compute(self, patches: Pixels) -> Answer:
        try:
            with torch.inference_mode():
                pixels = torch.tensor(patches).unsqueeze(1).to(torch.float32) / WHITE
                logits, features = self._network.answer(pixels)
                probabilities = torch.softmax(logits / self._temperature, dim=1)
        except RuntimeError as error:
            raise ModelError("model.engine_failed", str(error)) from error
        return Answer(probabilities.numpy(), features.numpy() if self._tells else None)


def _network(manifest: Manifest, content: bytes) -> Any:
    spec = NETWORKS.get(manifest.network)
    if spec is None:
        raise ModelError("model.bad_manifest", f"unknown network {manifest.network}; known: {', '.join(NETWORKS)}")
    try:
        state: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        network = spec.make(len(manifest.classes), manifest.geometry.patch_px, manifest.geometry.patch_px)
        network.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError, EOFError, pickle.UnpicklingError) as error:
        raise ModelError("model.engine_failed", f"{manifest.name}: {error}") from error
    return network.eval()
