"""A device's family of faults: whatever can be wrong with it has a code that begins with its name."""

from dataclasses import dataclass

from station.core.errors import DeviceError, JigError, PlcError, RobotError


@dataclass(frozen=True, slots=True)
class Family:
    """What a device's errors are called and made of.

    Attributes:
        name: `robot`, `jig` or `plc`, as its register map is called.
        error: Class of its errors.
    """

    name: str
    error: type[DeviceError]

    def fault(self, key: str, detail: str) -> DeviceError:
        """The error with this code of the family."""
        return self.error(f"{self.name}.{key}", detail)

    def unreachable(self, detail: str) -> DeviceError:
        """The device does not answer, or what it says is not news."""
        return self.fault("unreachable", detail)

    def wrong_map(self, detail: str) -> DeviceError:
        """The device's registers are not those of its map."""
        return self.fault("wrong_map", detail)

    def again(self, failure: DeviceError) -> DeviceError:
        """The same error, fresh: each who is told of a failure raises one of his own."""
        return self.error(failure.code, failure.detail)

    def means(self, key: str, error: DeviceError) -> bool:
        """Whether an error has this code of the family."""
        return error.code == f"{self.name}.{key}"


ROBOT = Family("robot", RobotError)
JIG = Family("jig", JigError)
PLC = Family("plc", PlcError)
