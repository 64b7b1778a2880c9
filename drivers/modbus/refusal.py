"""The exception code with which a device has refused a request, as the cause of the error that tells of it."""

from station.core.errors import DeviceError

ILLEGAL_VALUE = 3
"""Also the answer to more registers than a device serves in one request.
Source: MODBUS Application Protocol V1.1b3, section 6."""


class Refusal(Exception):  # noqa: N818  # an answer, not an error
    """A device's exception.

    Args:
        code: As it came over the wire.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code:02d}")
        self.code = code


def is_for_its_length(error: DeviceError) -> bool:
    """Whether a device has refused to read as many registers as it was asked for in one request."""
    return isinstance(error.__cause__, Refusal) and error.__cause__.code == ILLEGAL_VALUE
