"""The yardstick: the same network, unchanged, in PyTorch's eager mode in f32, fed in the same way."""

from station.bench.plan import BenchPlan
from station.bench.timing import median


def torch_eager(plan: BenchPlan) -> dict[str, float | None] | None:
    """Images of 16 patches a second; None where torch is not installed or the bundle has no weights for it.

    `end_to_end_times` is how many times as fast whole parts went that took turns with it; None where none did.

    Raises:
        ModelError: The network cannot be used.
    """
    run = plan.network
    if not run.has_torch:
        return None
    times = median([run.torch_over_part(width) for width in run.widths]) if run.has_parts else None
    return {
        "images_per_s": round(1 / run.torch_image_s(), 2),
        "end_to_end_times": None if times is None else round(times, 2),
    }
