"""The simulated line-scan camera: a GenTL producer in C, loaded like any vendor's.

`producer_path` says where the built library lies; `python -m sim.gentl.build` builds it again. Where to look:

    gentl.h         the standard's C interface            registers, camera.xml  the features and their rules
    producer.h      lock, refusals, answers, handles      camera                 power, commands, cable
    modules, device what is opened, closed and listed     acquisition            triggers and blocks
    port, nodemap   descriptions and register access      exposure               which row a line shows, and its pixels
    stream, queue   buffers on their way                  scene                  the shared memory under the camera
    buffer, event   what a consumer asks and waits for    faults                 what can go wrong on demand

With STATION_GENTL_LOG in the environment the producer writes every refusal, lost block and scene to standard error.
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
