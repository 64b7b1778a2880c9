"""What the named faults do to whatever does not look by itself whether it is broken."""

import asyncio
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Protocol

from sim.breakage import Effect
from sim.camera_fault import CameraFault
from sim.cell import View
from sim.devices.plc import PlcDevice
from sim.faults import NAMED_FAULTS
from sim.infeed import Infeed
from sim.modbus.rtu_line import RtuLine
from sim.proxy import Mode, TcpProxy
from station.core.geometry import Geometry

NETWORK_MODES = {
    "refused": Mode.REFUSE,
    "half-open": Mode.HALF_OPEN,
    "split": Mode.SPLIT,
    "late": Mode.DELAY,
    "garbage": Mode.GARBAGE,
}

AWAY_S, HUNG_S = 1.0, 3.0
AWAY_BETWEEN_PARTS_S = 3.0
PLC_STARTS_S = 0.1  # from the empty registers of a program that begins anew to its first announcement
DROPPED, LEFT = Fraction(5, 56), Fraction(25, 56)  # of a block
SLIP_FROM, SLIPPED = Fraction(75, 224), Fraction(75, 896)  # of a turn


class Scenery(View, Protocol):
    """Where the camera looks, as `sim.scene.Scene` has it."""

    @property
    def turn_lines(self) -> int:
        """Rows once around, of the surface that was shown last."""

    def slip(self, row: int, rows: int) -> None:
        """Let the part slip in the jig, in every turn from now on; 0 rows: it sits tight again."""

    def fault(self, fault: CameraFault, *, block: int = 0, lines: int = 0, time_s: float = 0.0) -> None:
        """Order a fault of the camera that looks at this."""

    def note_jig(self, link: str, terminal: str) -> None:
        """Keep where the jig's line is."""


def camera_effects(scene: Scenery, geometries: Sequence[Geometry]) -> dict[str, Effect]:
    """Faults of the camera, in the middle of its next turn, and of the part's seat under it.

    Args:
        scene: Where the camera looks.
        geometries: Those of all part types; a fault hits a block that the turn of each of them has.
    """
    lines = min(geometry.lines_per_block for geometry in geometries)
    dropped, left = max(1, int(DROPPED * lines)), int(LEFT * lines)
    order = partial(scene.fault, block=(min(geometry.blocks_per_turn for geometry in geometries) + 1) // 2)

    def slip() -> None:
        scene.slip(int(SLIP_FROM * scene.turn_lines), int(SLIPPED * scene.turn_lines))

    return {
        "camera-cable-out": Effect(partial(order, CameraFault.DISCONNECT, time_s=AWAY_S)),
        "camera-lines-dropped": Effect(partial(order, CameraFault.DROP_LINES, lines=dropped)),
        "camera-block-dropped": Effect(partial(order, CameraFault.DROP_FRAME)),
        "camera-block-short": Effect(partial(order, CameraFault.PARTIAL_COMPLETE, lines=left)),
        "camera-block-incomplete": Effect(partial(order, CameraFault.PARTIAL_INCOMPLETE, lines=left)),
        "part-slips": Effect(slip, partial(scene.slip, 0, 0)),
        "camera-hangs": Effect(partial(order, CameraFault.HANG, time_s=HUNG_S)),
    }


def plc_effects(plc: PlcDevice) -> dict[str, Effect]:
    """Faults of the line PLC's program."""
    withdrawn, given = partial(plc.permit, "withdrawn"), partial(plc.permit, "given")
    return {
        "plc-illegal-command": Effect(lambda: _ignore(plc.command("clear"))),
        "plc-permission-withdrawn": Effect(withdrawn, given),
        "plc-permission-kept-back": Effect(withdrawn, given),
        "plc-permission-lost": Effect(withdrawn, given),
        "plc-id-blank": Effect(plc.show_part, plc.show_part),
        "plc-type-unknown": Effect(plc.show_part, plc.show_part),
        "plc-bins-full": Effect(partial(plc.fill, plc.places), partial(plc.fill, ())),
        "plc-result-ignored": Effect(_nothing, plc.take_result),
        "plc-block-cleared": Effect(plc.clear_block),
    }


def infeed_effects(infeed: Infeed, plc: PlcDevice, scene: Scenery, cut: Effect) -> dict[str, Effect]:
    """Faults between the part that waits, its announcement, and the camera that is not ready for it.

    Args:
        infeed: Where the part waits.
        plc: Announces it.
        scene: Where the camera looks.
        cut: Breaks the PLC's connections, as its start does.
    """
    swap = partial(infeed.exchange, same_number=False)

    def run() -> None:
        plc.run()
        infeed.announce_again()  # of a part that was accepted and still lies there the program knows nothing

    def begin_anew() -> None:
        plc.begin_anew()
        cut.begin()
        asyncio.get_running_loop().call_later(PLC_STARTS_S, infeed.announce_again)

    return {
        "plc-part-swapped": Effect(swap),
        "plc-part-renamed": Effect(partial(infeed.exchange, same_number=True)),
        "golden-missing": Effect(_nothing, infeed.lay_in_missing),
        "golden-twice": Effect(infeed.lay_in_again, infeed.take_away_again),
        "plc-part-cleared": Effect(plc.clear_announcement, infeed.announce_again),
        "plc-program-restarts": Effect(plc.stop, run),
        "plc-restarted": Effect(begin_anew),
        "plc-part-swapped-camera-away": Effect(
            partial(scene.fault, CameraFault.DISCONNECT, time_s=AWAY_BETWEEN_PARTS_S), swap
        ),
    }


def no_golden_parts() -> dict[str, str]:
    """The faults that cannot strike where no golden part is configured, and why."""
    return {row.name: "challenge.golden names no part" for row in NAMED_FAULTS.values() if row.golden}


def network_effects(device: str, network: TcpProxy) -> dict[str, Effect]:
    """Faults of the network to `robot`, `jig` or `plc`, and of single answers on it."""
    if device == "jig":
        return {"jig-silent": _mode(network, Mode.HALF_OPEN)}
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
