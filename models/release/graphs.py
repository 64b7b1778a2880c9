"""A torch network in the forms that the engines read: OpenVINO, ONNX, and weights. Needs torch.

Every form is made from weights that were rounded to 16 bits once, and takes raw grey values, uint8
(patches of a strip, height, width):

    uint8 ─▶ float32 ─▶ / 255 ─▶ network ─▶ / temperature ─▶ softmax ─▶ float32 (patches, classes)
                                     └▶ what it saw of each patch ─▶ float32 (patches, values)

The weights' own form is a state dict; its engine adds the rest.
"""

import copy
import io
import warnings
from typing import Any

import numpy as np
import onnx
import openvino as ov
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from models.networks.layers import Network
from station.core.geometry import Geometry

OPSET = 20
"""The oldest that has every operator of the networks: deformable convolutions are from 19 on, a GELU of one piece is
from 20. In an older one torch writes what no engine opens, without a word."""
TORCH_EPS = 1e-5
MIN_ROUNDED_VALUES = 64
"""ONNX constants with fewer values stay 32 bits wide; they weigh nothing."""


class ScoringGraph(nn.Module):
    """A network between raw grey values (n, height, width) uint8 and its answer, both of float32."""

    def __init__(self, network: Network, temperature: float) -> None:
        super().__init__()
        self.network, self.temperature = network, temperature

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Probabilities (n, classes), each row of which sums to 1, and features (n, values)."""
        logits, features = self.network.answer(patches.unsqueeze(1).float() / 255)
        return torch.softmax(logits / self.temperature, dim=1), features


def rounded(network: Network) -> Network:
    """A copy for inference with every weight rounded to 16 bits and held in 32.

    A normalisation that follows its convolution is first folded into it, because engines fold it anyway, and would
    have to round what comes out a second time.

    Raises:
        ValueError: A weight is not finite, or too large for 16 bits.
    """
    copied: Network = copy.deepcopy(network).float().eval()
    copied.convert()
    for module in copied.modules():
        if isinstance(module, nn.Sequential):
            _fold_normalisations(module)
    with torch.no_grad():
        for name, value in copied.state_dict(keep_vars=True).items():
            if value.is_floating_point():
                value.copy_(value.half().float())
                if not bool(value.isfinite().all()):
                    raise ValueError(f"{name} holds values that are not finite or do not fit into 16 bits")
    return copied


def _fold_normalisations(stack: nn.Sequential) -> None:
    for first, second in zip(stack, list(stack)[1:], strict=False):
        if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
            _fold(first, second)


@torch.no_grad()
def _fold(convolution: nn.Conv2d, normalisation: nn.BatchNorm2d) -> None:
    """Move a normalisation into the convolution before it; it then changes nothing.

    Raises:
        ValueError: It keeps no statistics.
    """
    mean, variance = normalisation.running_mean, normalisation.running_var
    if mean is None or variance is None:
        raise ValueError("a normalisation keeps no statistics, so it cannot be folded")
    scale = normalisation.weight / torch.sqrt(variance + normalisation.eps)
    bias = torch.zeros_like(scale) if convolution.bias is None else convolution.bias
    shift = normalisation.bias + (bias - mean) * scale
    convolution.weight.mul_(scale[:, None, None, None])
    if convolution.bias is None:
        normalisation.bias.copy_(shift)
    else:
        convolution.bias.copy_(shift)
        normalisation.bias.zero_()
    mean.zero_()
    variance.fill_(1)
    normalisation.weight.fill_(1)
    normalisation.eps = TORCH_EPS  # as that of a fresh network, into which the weights alone are loaded


def to_openvino(network: Network, temperature: float, geometry: Geometry) -> ov.Model:
    """The network as an OpenVINO graph with weights of 32 bits; saving it with weights of 16 loses nothing."""
    program = torch.export.export(ScoringGraph(network, temperature).eval(), (_example(geometry),))
    graph = ov.convert_model(program)
    graph.reshape(list(geometry.patches_shape))
    graph.validate_nodes_and_infer_types()
    return graph


def to_onnx(network: Network, temperature: float, geometry: Geometry) -> bytes:
    """The network as an ONNX file whose weights are stored in 16 bits and widened as it is loaded.

    Raises:
        ValueError: The exporter made nothing of it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own ways
        program = torch.onnx.export(
            ScoringGraph(network, temperature).eval(), (_example(geometry),), input_names=["patches"],
            output_names=["probabilities", "features"], opset_version=OPSET, dynamo=True, verbose=False,
        )  # fmt: skip
    if program is None:
        raise ValueError("the exporter made nothing of the network")
    model = program.model_proto
    _store_in_16_bits(model.graph)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _store_in_16_bits(graph: Any) -> None:
    casts = []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < MIN_ROUNDED_VALUES:
            continue
        short = f"{weight.name}.f16"
        casts.append(helper.make_node("Cast", [short], [weight.name], to=TensorProto.FLOAT))
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), short))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def to_state(network: nn.Module) -> bytes:
    """The network's weights as a file for torch: a state dict, floating-point values in 16 bits."""
    state = {name: value.half() if value.is_floating_point() else value for name, value in network.state_dict().items()}
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def _example(geometry: Geometry) -> Tensor:
    return torch.zeros(geometry.patches_shape, dtype=torch.uint8)
