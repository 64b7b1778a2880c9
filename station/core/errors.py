"""The errors of the station, each of which carries a fault of the table: code, number, operator text and reaction.

    StationError                 carries one Fault of the table and the detail of this occurrence
    ├── DeviceError              a device does not do what it was asked, or cannot be reached
    │   ├── CameraError
    │   ├── JigError
    │   ├── RobotError
    │   └── PlcError
    ├── PartError                this part, or its scan, cannot be judged
    ├── ModelError               the network's bundle or its answers cannot be trusted
    ├── RecordError              a record cannot be written or read
    ├── RecordingError           a recording, or one scan of it, cannot be used
    ├── BackupError              a backup cannot be made, or not be restored
    ├── ControlError             a command does not reach the running station
    ├── PageError                the operator page cannot do what it is asked
    ├── PlantError               what serves the plant above the line PLC cannot do what it is asked
    ├── ConfigError              a setting, a map or a command line is wrong; nothing was started
    └── BugError                 the station's own fault

Drivers translate every foreign exception into one of these. The number is the reason code on the line PLC.
`models.errors` has four more, of what is done beside a station: training, data sets, labelling and archives.
"""

from collections.abc import Mapping
from typing import ClassVar

from station.core.fault import REACTIONS, Conduct, Fault, Reaction
from station.core.fault_table import FAULTS

__all__ = [
    "FAULTS", "REACTIONS", "BackupError", "BugError", "CameraError", "Conduct", "ConfigError", "ControlError",
    "DeviceError", "Fault", "JigError", "ModelError", "PageError", "PartError", "PlantError", "PlcError", "Reaction",
    "RecordError", "RecordingError", "RobotError", "StationError",
]  # fmt: skip
"""The whole subject has this one door."""


class StationError(Exception):
    """A fault that happened: its row of the table, and what was seen this time.

    Args:
        code: A code of `faults`.
        detail: What, where and how much, for the log and for whoever repairs it.

    Attributes:
        faults: The table that the codes of a class of errors are of.
    """

    faults: ClassVar[Mapping[str, Fault]] = FAULTS

    def __init__(self, code: str, detail: str = "") -> None:
        self.fault = self.faults[code]
        self.detail = detail
        super().__init__(code, detail)

    def __str__(self) -> str:
        """The operator's text, then the detail."""
        return f"{self.fault.text} ({self.detail})" if self.detail else self.fault.text

    @property
    def code(self) -> str:
        """The fault's code, for example `camera.lost`."""
        return self.fault.code


class DeviceError(StationError):
    """A device does not do what it was asked, or cannot be reached."""


class CameraError(DeviceError):
    """The camera, its producer or its process."""


class JigError(DeviceError):
    """The spin jig or the line to it."""


class RobotError(DeviceError):
    """The robot or the line to it."""


class PlcError(DeviceError):
    """The line PLC or the line to it."""


class PartError(StationError):
    """This part, or its scan, cannot be judged."""


class ModelError(StationError):
    """The network's bundle or its answers cannot be trusted."""


class RecordError(StationError):
    """A record cannot be written or read."""


class RecordingError(StationError):
    """A recording, or one scan of it, cannot be used."""


class BackupError(StationError):
    """A backup cannot be made, used or restored."""


class ControlError(StationError):
    """A command does not reach the running station."""


class PageError(StationError):
    """The operator page cannot be opened, or does not do what it is asked."""


class PlantError(StationError):
    """OPC UA, Sparkplug, the plant's database or the support bundle: it cannot be served, or not do what is asked."""


class ConfigError(StationError):
    """A setting, a register map or a command line is wrong."""


class BugError(StationError):
    """The station's own fault."""
