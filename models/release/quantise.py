"""The INT8 artefact: post-training quantisation of the OpenVINO graph. Needs NNCF.

Ranges of the activations are taken from calibration patches, a fifth of which are over- or under-exposed, so that a
lamp that ages or an exposure that is off does not leave the ranges. Weights are quantised per output channel. The grey
values themselves are 256 steps already, and stay as they are.
Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference";
calibration with 20 % over- and under-exposed images, and the recipes that keep the classifier's layers wider, after a
study of defect detection with ResNet50, whose ranges are found by entropy. The default recipe keeps none wider.
"""

from dataclasses import dataclass
from math import prod

import nncf
import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as opset

from models.release.outputs import FAKE_QUANTISE, probabilities_alone, with_features
from station.core.errors import ConfigError
from station.core.part import Pixels

MISEXPOSED_SHARE = 0.2
OVER_EXPOSURE = (1.25, 1.8)
UNDER_EXPOSURE = (0.35, 0.75)
"""Factors on the grey values, evenly distributed; values above 255 saturate as a sensor does."""
BOUNDS = (1, 2, 3, 4)
"""Inputs of OpenVINO's FakeQuantize: lowest and highest value before, lowest and highest value after."""


@dataclass(frozen=True, slots=True)
class QuantisationRecipe:
    """Which layers are quantised.

    Attributes:
        name: What commands call it.
        wide_first: Whether the first convolution, which sees the raw grey values, stays in 32 bits.
        wide_head: Whether the dense layers stay in 32 bits.
    """

    name: str
    wide_first: bool
    wide_head: bool


_RECIPES = (
    QuantisationRecipe("all", wide_first=False, wide_head=False),
    QuantisationRecipe("wide-head", wide_first=False, wide_head=True),
    QuantisationRecipe("wide-ends", wide_first=True, wide_head=True),
)
RECIPES = {recipe.name: recipe for recipe in _RECIPES}


AUTO = "auto"
"""Every recipe in turn, until one decides as the network."""


def recipes_named(name: str) -> tuple[QuantisationRecipe, ...]:
    """The recipes to be tried in turn: the one of this name, or all of them.

    Raises:
        ConfigError: There is none.
    """
    if name == AUTO:
        return _RECIPES
    if name not in RECIPES:
        raise ConfigError("config.bad_option", f"--recipe {name}: one of {', '.join((AUTO, *RECIPES))}")
    return (RECIPES[name],)


def calibration_strips(patches: NDArray[np.uint8], seed: int, at_once: int) -> tuple[list[Pixels], int, int]:
    """Patches (n, height, width) as strips of so many, a tenth of the patches over-exposed and a tenth under-exposed.

    Args:
        patches: At least one strip; what fills none is left out.
        seed: Of the exposures.
        at_once: Patches of a strip.
    """
    rng = np.random.default_rng(seed)
    count = len(patches) // at_once * at_once
    each = round(count * MISEXPOSED_SHARE / 2)
    factors = np.ones(count)
    chosen = rng.permutation(count)
    factors[chosen[:each]] = rng.uniform(*OVER_EXPOSURE, each)
    factors[chosen[each : 2 * each]] = rng.uniform(*UNDER_EXPOSURE, each)
    exposed = [
        np.clip(np.rint(patch * factor), 0, 255).astype(np.uint8)
        for patch, factor in zip(patches[:count], factors, strict=True)
    ]
    return [np.stack(exposed[at : at + at_once]) for at in range(0, count, at_once)], each, each


def quantise(graph: ov.Model, strips: list[Pixels], recipe: QuantisationRecipe) -> ov.Model:
    """A graph that computes in INT8 wherever the recipe lets it; about a minute for several hundred strips.

    Its features, where the graph answers any, stay in 32 bits, and change nothing of the rest.

    After a ReLU symmetric and asymmetric ranges are the same, so nothing is left to choose there. The first layer's
    weights leave one bit free, so that processors without VNNI cannot overflow in it; measured, that costs nothing.
    """
    quantised = nncf.quantize(
        probabilities_alone(graph),
        nncf.Dataset(strips),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(strips),
        fast_bias_correction=True,
        ignored_scope=_wide(graph, recipe),
        advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.FIRST_LAYER),
    )
    _keep_grey_values(quantised, strips[0].shape)
    return with_features(quantised, graph)


def _keep_grey_values(quantised: ov.Model, strip: tuple[int, ...]) -> None:
    """Quantise grey values, 0 to 255 in the network's own scale, to just these steps: none is rounded or saturates.

    NNCF's own range ends at the mean of the strips' brightest values. Above it a bright edge would be lost, and with
    it, measured, an imprint that the network is certain of. The scale is the network's: 0 to 1, or -1 to 1, and what
    it comes to where the first layer reads it is asked of the graph itself. A recipe with a wide first layer has no
    such range.
    """
    for node in quantised.get_ordered_ops():
        if node.get_type_name() == FAKE_QUANTISE and _reads_grey_values(node, prod(strip)):
            darkest, brightest = _scale(quantised, node.get_friendly_name(), strip)
            for bound, value in zip(BOUNDS, (darkest, brightest) * 2, strict=True):
                node.input(bound).replace_source_output(opset.constant(np.float32(value)).output(0))
    quantised.validate_nodes_and_infer_types()


def _reads_grey_values(node: ov.Node, pixels: int) -> bool:
    """Whether all pixels come to a node, in whatever shape, and nothing was computed of them but their scale."""
    if prod(node.input_value(0).get_shape()) != pixels:
        return False
    above, kinds = [node.input_value(0).get_node()], set()
    while above:
        one = above.pop()
        kinds.add(one.get_type_name())
        above += [value.get_node() for value in one.input_values()]
    return "Parameter" in kinds and not kinds & {"Convolution", "MatMul", "MaxPool"}


def _scale(quantised: ov.Model, name: str, strip: tuple[int, ...]) -> tuple[float, float]:
    """What the grey values 0 and 255 have become where a node of this name reads them, the lower one first."""
    copied = quantised.clone()
    node = next(one for one in copied.get_ordered_ops() if one.get_friendly_name() == name)
    read = ov.Model([opset.result(node.input_value(0))], copied.get_parameters())
    request = ov.Core().compile_model(read, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    ends = [float(np.ravel(request.infer({0: np.full(strip, grey, np.uint8)})[0])[0]) for grey in (0, 255)]
    return min(ends), max(ends)


def _wide(graph: ov.Model, recipe: QuantisationRecipe) -> nncf.IgnoredScope | None:
    """The layers that stay in 32 bits."""
    convolutions = _named(graph, "Convolution")[:1] if recipe.wide_first else []
    names = convolutions + (_named(graph, "MatMul") if recipe.wide_head else [])
    return nncf.IgnoredScope(names=names) if names else None


def _named(graph: ov.Model, kind: str) -> list[str]:
    return [node.get_friendly_name() for node in graph.get_ordered_ops() if node.get_type_name() == kind]
