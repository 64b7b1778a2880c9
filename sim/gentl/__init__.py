"""The simulated line-scan camera: a GenTL producer in C, loaded like any vendor's.

`producer_path` says where the built library lies; `python -m sim.gentl.build` builds it again.
"""

from pathlib import Path

from station.core.errors import CameraError


def producer_path() -> Path:
    """The producer's file, for a list of producers to load.

    Raises:
        CameraError: `camera.no_producer`: it was not built.
    """
    path = Path(__file__).with_name("station_linescan.cti")
    if not path.is_file():
        raise CameraError("camera.no_producer", f"{path} is missing; build it with: python -m sim.gentl.build")
    return path
