"""From raw scans in memory to decisions: find the part, crop, resize, score, decide; by the station's own code."""

from typing import Any

from station.bench.plan import BenchPlan
from station.bench.timing import median


def end_to_end(plan: BenchPlan) -> dict[str, Any]:
    """Images a second of every configured type, under its width, and of one of each after the other.

    `of_model_only` is how near each comes to the network alone, which took turns with it; `median` that of all widths.

    Raises:
        ModelError: The network cannot be used.
        PartError: A housing as configured cannot be judged.
    """
    run = plan.network
    images_s = {width: run.part_s(width) for width in run.widths}
    shares = {width: run.of_network(width) for width in run.widths}
    return {
        "images_per_s": round(len(images_s) / sum(images_s.values()), 2),
        "by_width": {str(width): round(1 / image_s, 2) for width, image_s in images_s.items()},
        "of_model_only": {
            **{str(width): round(share, 3) for width, share in shares.items()},
            "median": round(median(list(shares.values())), 3),
        },
    }
