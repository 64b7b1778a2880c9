"""An untrained network as a plan wants it."""

from models.errors import TrainingError
from models.networks import NETWORKS, NetworkSpec
from models.networks.layers import Network, initialise_as_keras, normalise_as_keras
from models.training.plan import Plan


def planned_network(plan: Plan, classes: int, height: int, width: int) -> Network:
    """A network with random weights; torch's seed decides them.

    Args:
        plan: Which network, and how it begins.
        classes: How many.
        height: Of the images in px.
        width: Of the images in px.

    Raises:
        TrainingError: It cannot take such images.
    """
    spec = NETWORKS[plan.network]
    if problem := size_problem(spec, height, width):
        raise TrainingError("training.bad_data", problem)
    network = spec.make(classes, height, width)
    network.drop(plan.dropout)
    if plan.initial == "keras":
        own = network.head if spec.timm else network
        initialise_as_keras(own)
        normalise_as_keras(own)
    return network


def size_problem(spec: NetworkSpec, height: int, width: int) -> str:
    """Why a network takes no images of this size, in words; empty where it does."""
    if min(height, width) < spec.smallest_px:
        return f"{spec.name} needs {spec.smallest_px} px, the images are {height}x{width}"
    if height % spec.multiple_px or width % spec.multiple_px:
        return f"{spec.name} takes multiples of {spec.multiple_px} px, the images are {height}x{width}"
    return ""
