"""How large the station's two processes are, and whether they grow: resident memory when a part was sorted.

Taken from the run of `stream` where that was made; else from a run of its own without pace, in which many parts go
through quickly.
"""

from collections.abc import Sequence

from station.bench.cell_run import CellRun, Resident
from station.bench.plan import BenchPlan

QUARTERS = 4


def memory(plan: BenchPlan) -> dict[str, float | int]:
    """The largest sizes in MiB, and by how much the mean of the last quarter of the parts is above the first's.

    Raises:
        StationError: The cell did not start, or was stopped by a fault.
    """
    return sizes(plan.cell.made() or plan.cell.run("free"))


def sizes(run: CellRun) -> dict[str, float | int]:
    """The figures of one run."""
    resident = run.resident
    quarter = max(1, len(resident) // QUARTERS)
    first, last = resident[:quarter], resident[-quarter:]
    return {
        "station_mb": round(max((one.station for one in resident), default=0.0), 1),
        "camera_mb": round(max((one.camera for one in resident), default=0.0), 1),
        "parts": len(resident),
        "station_growth_mb": round(_mean_station(last) - _mean_station(first), 2),
        "camera_growth_mb": round(_mean_camera(last) - _mean_camera(first), 2),
    }


def _mean_station(sizes_mb: Sequence[Resident]) -> float:
    return sum(one.station for one in sizes_mb) / max(1, len(sizes_mb))


def _mean_camera(sizes_mb: Sequence[Resident]) -> float:
    return sum(one.camera for one in sizes_mb) / max(1, len(sizes_mb))
