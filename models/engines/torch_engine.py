"""PyTorch in eager mode, in f32: the yardstick that the other engines are compared with, from the extra `train`.

Importing this imports torch. Scaling, temperature and softmax, which the other artefacts have inside, are added here.
"""

import io
import pickle
from typing import Any

import torch

from models.engines.engine import Engine
from models.engines.network import BundleNetwork
from models.engines.processor import instruction_set
from models.networks import NETWORKS
from station.core.errors import ModelError
from station.core.part import Answer, EngineIdentity, Pixels
from station.core.settings import ModelSettings

WHITE = 255.0


class TorchEngine(Engine):
    """A network of a bundle in torch.

    Args:
        network: What to run.
        settings: Threads, which are torch's in this whole process; pinning is not offered here.

    Raises:
        ModelError: The file is not the one that the manifest names, is no state dict, or does not fit the network.
    """

    def __init__(self, network: BundleNetwork, settings: ModelSettings) -> None:
        if settings.threads:
            torch.set_num_threads(settings.threads)
        (content,) = network.read("torch")
        self._network = _network(network, content)
        self._temperature = network.temperature
        self._tells = network.ports.features is not None
        version = str(torch.__version__).partition("+")[0]
        super().__init__(network, EngineIdentity("torch", version, "f32", instruction_set()))

    def _compute(self, patches: Pixels) -> Answer:
        try:
            with torch.inference_mode():
                pixels = torch.tensor(patches).unsqueeze(1).to(torch.float32) / WHITE
                logits, features = self._network.answer(pixels)
                probabilities = torch.softmax(logits / self._temperature, dim=1)
        except RuntimeError as error:
            raise ModelError("model.engine_failed", str(error)) from error
        return Answer(probabilities.numpy(), features.numpy() if self._tells else None)


def _network(wanted: BundleNetwork, content: bytes) -> Any:
    spec = NETWORKS.get(wanted.architecture)
    if spec is None:
        known = ", ".join(NETWORKS)
        raise ModelError("model.bad_manifest", f"unknown network {wanted.architecture}; known: {known}")
    try:
        state: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        network = spec.make(wanted.ports.probabilities[1], *wanted.ports.taken[1:])
        network.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError, EOFError, pickle.UnpicklingError) as error:
        raise ModelError("model.engine_failed", f"{wanted.name}: {error}") from error
    return network.eval()
