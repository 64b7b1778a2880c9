"""The simulated line-scan camera: a GenTL producer in C, loaded like any vendor's.

`producer_path` says where the built library lies; `python -m sim.gentl.build` builds it again. Where to look:

    gentl.h                                 the standard's C interface
    producer.h                              lock, refusals, typed answers, handles
    library, system, interface, device      what is opened, closed and listed
    port, nodemap, module_registers, *.xml  descriptions, register access; the other modules' features
    stream, announce, queue                 buffers on their way
    buffer, event                           what a consumer asks and waits for
    camera                                  power, commands, cable; camera_*.xml are its features (SFNC)
    registers, settings                     the features' rules, power-up values, user sets
    triggers, acquisition                   from a trigger to a block
    exposure, pixels                        when a line comes, which row it shows; its pixels
    scene                                   the shared memory under the camera
    faults                                  what can go wrong on demand

With STATION_GENTL_CAMERAS in the environment there are so many cameras, 1 to 4, each with settings, scene and stream of
its own; else one. User sets and DeviceUserID outlive a loss of power, but not the process. With STATION_GENTL_LOG the
producer writes every refusal, lost block and scene to standard error.
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
