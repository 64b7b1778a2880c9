"""The yardstick: the same network, unchanged, in PyTorch's eager mode in f32, fed in the same way."""

from models.engines import make_engine
from station.bench.model_only import scoring
from station.bench.plan import BenchPlan
from station.bench.timing import median, times_s
from station.build import find_bundle
from station.core.errors import ModelError
from station.core.part import BLOCKS_PER_TURN


def torch_eager(plan: BenchPlan) -> dict[str, float] | None:
    """Images of 16 patches a second; None where torch is not installed or the bundle has no weights for it.

    Raises:
        ModelError: The network cannot be used.
    """
    settings = plan.settings.model.model_copy(update={"engine": "torch", "precision": "f32"})
    try:
        classifier = make_engine(find_bundle(plan.settings), settings)
    except ModelError as error:
        if error.code != "model.engine_unavailable":
            raise
        plan.say(f"  left out: {error.detail}")
        return None
    strips_s = times_s(scoring(classifier), plan.short_s)
    return {"images_per_s": round(1 / median(strips_s) / BLOCKS_PER_TURN, 2)}
