"""The simulated line-scan camera: a GenTL producer in C, loaded like any vendor's.

`producer_path` says where the built library lies; `python -m sim.gentl.build` builds it again. Where to look:

    gentl.h        the standard's C interface
    base/          the lock, refusals and typed answers, handles
    camera/        scene: the shared memory under the camera; registers, settings: what the camera is set to;
                   rules, effects, access: its register map, a row a register; camera, cable, faults: what befalls it
    stream/        buffers on their way: announce, queue, stream; what a consumer asks and waits for: buffer, event
    acquisition/   from a trigger to a block: triggers, lines, blocks; exposure: when lines come; pixels: what they show
    transport/     what is opened, closed and listed: library, system, interface, device; port, nodemap: descriptions
    descriptions/  the features as GenApi has them; camera_*.xml are the camera's (SFNC), in pieces

Each folder knows those above it in this list, and no file calls what leads back to it.

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
