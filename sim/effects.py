"""What the named faults do to whatever does not look by itself whether it is broken: networks, serial line, PLC."""

from collections.abc import Callable
from functools import partial

from sim.breakage import Effect
from sim.devices.plc import PlcDevice
from sim.modbus.rtu_line import RtuLine
from sim.proxy import Mode, TcpProxy
from station.core.part import Destination

NETWORK_MODES = {
    "refused": Mode.REFUSE,
    "half-open": Mode.HALF_OPEN,
    "split": Mode.SPLIT,
    "late": Mode.DELAY,
    "garbage": Mode.GARBAGE,
}


def plc_effects(plc: PlcDevice) -> dict[str, Effect]:
    """Faults of the line PLC's program."""
    return {
        "plc-illegal-command": Effect(lambda: _ignore(plc.command("clear"))),
        "plc-permission-withdrawn": Effect(partial(plc.permit, "withdrawn"), partial(plc.permit, "given")),
        "plc-bins-full": Effect(partial(plc.fill, tuple(Destination)), partial(plc.fill, ())),
        "plc-result-ignored": Effect(_nothing, plc.take_result),
    }


def network_effects(device: str, network: TcpProxy) -> dict[str, Effect]:
    """Faults of the network to `robot` or `plc`, and of single answers on it."""
    effects = {f"{device}-net-{name}": _mode(network, mode) for name, mode in NETWORK_MODES.items()}
    effects[f"{device}-net-reset"] = Effect(network.cut)
    if device == "robot":
        effects["robot-answer-lost"] = Effect(partial(network.switch, Mode.DROP_REPLY, 1))
        effects["robot-answer-repeated"] = Effect(partial(network.switch, Mode.REPEAT_REPLY, 1))
    else:
        effects["plc-silent"] = _mode(network, Mode.HALF_OPEN)
    return effects


def line_effects(line: RtuLine) -> dict[str, Effect]:
    """Faults of the jig's serial line."""
    return {
        "jig-noise": Effect(_setter(line, "noisy", to=True), _setter(line, "noisy", to=False)),
        "jig-silent": Effect(_setter(line, "silent", to=True), _setter(line, "silent", to=False)),
    }


def _mode(network: TcpProxy, mode: Mode) -> Effect:
    return Effect(partial(network.switch, mode), partial(network.switch, Mode.PASS))


def _setter(line: RtuLine, name: str, *, to: bool) -> Callable[[], None]:
    return partial(setattr, line, name, to)


def _ignore(_: object) -> None:
    """What is of no use here."""


def _nothing() -> None:
    """The fault is looked for where it shows."""
