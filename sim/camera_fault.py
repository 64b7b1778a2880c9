"""Faults that the simulated cell orders of its camera by the scene; `sim/gentl/camera/faults.h` is the same in C."""

from enum import StrEnum


class CameraFault(StrEnum):
    """What can go wrong between camera and consumer; the names are those of the camera's SimFault feature.

    The order of the members is their number in the scene.
    """

    NONE = "None"
    """Takes back an order that was not taken yet and a fault that lasts; ends a hang and an outage."""
    PARTIAL_INCOMPLETE = "PartialIncomplete"
    """Only some lines of the block arrive; it is flagged incomplete."""
    PARTIAL_COMPLETE = "PartialComplete"
    """Only some lines of the block arrive; it passes for complete."""
    DROP_FRAME = "DropFrame"
    """The block is lost; its frame id is missing."""
    DROP_LINES = "DropLines"
    """Lines in the block's middle are lost, later ones move up."""
    ALWAYS_INCOMPLETE = "AlwaysIncomplete"
    """Lasts: this block and all later ones are flagged incomplete."""
    DISCONNECT = "Disconnect"
    """The cable is pulled; it is back when the consumer has closed the device and the time is over."""
    HANG = "Hang"
    """A call of the consumer's does not return until the time is over; a time of 0 is for ever."""
    UNDERRUN = "Underrun"
    """The block finds no buffer: it is lost."""
    LATE_BLOCK = "LateBlock"
    """The block comes too late, by the time."""
    SLOW = "Slow"
    """Lasts: this block and all later ones come too late, by the time."""

    @property
    def number(self) -> int:
        """Its number in the scene."""
        return tuple(CameraFault).index(self)


class HangingCall(StrEnum):
    """The call that does not return; the order of the members is their number in the scene."""

    EVENT_GET_DATA = "EventGetData"
    READ_PORT = "GCReadPort"
    WRITE_PORT = "GCWritePort"
    QUEUE_BUFFER = "DSQueueBuffer"
    STOP_ACQUISITION = "DSStopAcquisition"
    CLOSE_DEVICE = "DevClose"

    @property
    def number(self) -> int:
        """Its number in the scene."""
        return tuple(HangingCall).index(self)
