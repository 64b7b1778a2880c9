"""The whole cell with lines at the camera's highest rate: how long after the last line the PLC has the decision.

Real sockets, the simulated camera paced by the clock, the network, the records. Counted is until the PLC's
acknowledgement of the write is back. Motions of robot and jig take no time; they are no part of what is measured.
"""

from typing import Any

from station.bench.plan import BenchPlan
from station.bench.timing import percentiles
from station.core.errors import CameraError


def stream(plan: BenchPlan) -> dict[str, Any]:
    """The figures.

    `steps_ms` is what each step after the last line took, one after the other; `loop_stall_ms_max` the event loop's
    longest absence from its sockets while a part is scored and its decision is delivered.

    Raises:
        StationError: The cell did not start, or was stopped by a fault.
    """
    run, camera = plan.cell.run("line rate"), plan.settings.camera
    decisions_ms = run.decisions_ms
    if not decisions_ms:
        raise CameraError("camera.timeout", "not one part was scanned to its last line")
    return {
        "line_rate_hz": camera.max_line_rate_hz,
        "width": camera.width_px,
        "parts": len(run.ledgers),
        "decision_ms_after_last_line": {
            **percentiles(decisions_ms, 50, 99),
            "max": round(max(decisions_ms), 3),
        },
        "steps_ms": {step: percentiles(took, 50, 99) for step, took in run.steps_ms.items() if took},
        "blocks_lost": run.blocks_lost,
        "loop_stall_ms_max": round(run.longest_pass_ms, 3),
        "rescanned": run.looks - len(run.ledgers),
        "reviews": run.reviews,
        "late": run.late,
        "overloaded": run.overloads,
    }
