"""The table of named faults: what can be made to break in the simulated cell, when it strikes, and how it ends.

`python -m sim --list-faults` prints it. `code` is the fault of `station.core.errors` that the station shows for it, or
None where it rides it through: then the part is sorted as if nothing had been. What is `judged` gives a scan as good as any,
of a part in other light or of none of the classes: what becomes of that is up to what judges it.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from station.core.errors import ConfigError
from station.core.verdicts import UNKNOWN

ONCE = 0.0
UNTIL_CLEARED = math.inf


class Moment(StrEnum):
    """A moment on the way of a part."""

    LAY_IN = "lay in"
    ACCEPT = "accept"
    LOAD = "load"
    SEATED = "seated"
    SPIN = "spin"
    STOP = "stop"
    UNLOAD = "unload"
    LAID_AWAY = "laid away"

    @property
    def meaning(self) -> str:
        """What happens in that moment."""
        return _MEANINGS[self]


_MEANINGS = {
    Moment.LAY_IN: "it is to be laid in at the infeed",
    Moment.ACCEPT: "the station accepts it",
    Moment.LOAD: "the robot gets the order to load it",
    Moment.SEATED: "it is seated in the jig",
    Moment.SPIN: "the jig gets the order to turn it",
    Moment.STOP: "the jig gets the order to stop",
    Moment.UNLOAD: "the robot gets the order to take it away",
    Moment.LAID_AWAY: "the robot has laid it away",
}


@dataclass(frozen=True, slots=True)
class NamedFault:
    """One row of the table.

    Attributes:
        name: What it is called on the command line.
        breaks: What breaks, physically.
        moment: When it strikes the part that it is meant for.
        lasts_s: 0: it strikes once; infinite: it lasts until it is cleared; else it ends by itself.
        code: Code of the station's fault table that the station shows for it, or None when it rides it through.
        judged: Whether the scan is a good one, and what becomes of the part is up to the network.
        makes: What the part truly is from then on, or None where it stays what it is.
        wears: Whether it comes part by part, and shows only after many.
        golden: Whether it strikes golden parts alone.
    """

    name: str
    breaks: str
    moment: Moment
    lasts_s: float
    code: str | None
    judged: bool = False
    makes: str | None = None
    wears: bool = False
    golden: bool = False

    @property
    def ends(self) -> str:
        """How it ends, in words."""
        if self.lasts_s in (ONCE, UNTIL_CLEARED):
            return "strikes once" if self.lasts_s == ONCE else "lasts until it is cleared"
        return f"lasts {self.lasts_s:g} s"

    @property
    def shows(self) -> str:
        """What the station shows, in words."""
        return "what the network says" if self.judged else self.code or "-"


_I, _A, _L, _S, _T = Moment.LAY_IN, Moment.ACCEPT, Moment.LOAD, Moment.SEATED, Moment.SPIN
_H, _U, _D = Moment.STOP, Moment.UNLOAD, Moment.LAID_AWAY

# ruff: noqa: E501  # a table reads as a table
# fmt: off
_ROWS = (
    # camera
    NamedFault("camera-cable-out", "The camera's cable comes out in mid-scan, and is put in again after a second.", _T, ONCE, "camera.lost"),
    NamedFault("camera-lines-dropped", "Lines in the middle of a block are lost.", _T, ONCE, "scan.incomplete"),
    NamedFault("camera-block-dropped", "A block is lost.", _T, ONCE, "scan.incomplete"),
    NamedFault("camera-block-short", "A block comes with too few lines, as if it were whole.", _T, ONCE, "scan.incomplete"),
    NamedFault("camera-block-incomplete", "A block comes with too few lines, and says so.", _T, ONCE, "scan.incomplete"),
    NamedFault("camera-hangs", "A call of the camera's driver does not return for three seconds, in mid-scan.", _T, ONCE, "scan.incomplete"),
    NamedFault("lamp-out", "The lamp gives no light.", _S, ONCE, "part.jig_empty"),
    NamedFault("lamp-dark", "The lamp gives hardly any light.", _S, ONCE, "part.too_dark"),
    NamedFault("image-saturated", "The lamp or the exposure is far too bright.", _S, ONCE, "part.saturated"),
    NamedFault("image-frozen", "The picture stands still from some line on.", _S, ONCE, "scan.not_turned"),
    NamedFault("image-block-again", "A block's lines come again in place of another's; numbers and counts are right.", _S, ONCE, "scan.repeated"),
    NamedFault("image-lines-black", "Lines in the middle of a block are lost, and come as black ones.", _S, ONCE, "scan.incomplete"),
    NamedFault("lamp-at-40", "The lamp gives 0.4 times its light.", _S, ONCE, None, judged=True),
    NamedFault("lamp-at-60", "The lamp gives 0.6 times its light.", _S, ONCE, None, judged=True),
    NamedFault("lamp-at-160", "The lamp gives 1.6 times its light.", _S, ONCE, None, judged=True),
    NamedFault("lamp-half-out", "One half of the lamp, along the part's axis, gives half its light.", _S, ONCE, None, judged=True),
    NamedFault("lamp-fades", "The lamp gives a hundredth less light with every part.", _S, UNTIL_CLEARED, "camera.lamp_faded", wears=True),
    NamedFault("focus-drifts", "The lens moves out of focus, a little with every part.", _S, UNTIL_CLEARED, "camera.out_of_focus", wears=True),
    NamedFault("lens-dirty", "Dirt on the lens scatters the lamp's light beside the part.", _S, UNTIL_CLEARED, "camera.dirt", wears=True),
    NamedFault("image-blurred", "The part is out of focus, by 3 px.", _S, ONCE, None, judged=True),
    # part
    NamedFault("part-missing", "The robot loses the part on its way to the jig and does not notice.", _L, ONCE, "robot.part_lost"),
    NamedFault("part-wrong-type", "A wider part than the announced one sits on the jig.", _S, ONCE, "part.wrong_width"),
    NamedFault("part-edge-wanders", "The part sits askew, and its edges wander as it turns.", _S, ONCE, "part.edge_wanders"),
    NamedFault("part-slips", "The part slips in the chuck in mid-turn; jig, encoder and index pulse are good.", _T, UNTIL_CLEARED, "scan.not_turned"),
    NamedFault("part-stands-still", "The jig turns, and the part in it does not.", _S, ONCE, "scan.not_turned"),
    NamedFault("part-turns-half", "The part turns at half the jig's speed.", _S, ONCE, "scan.not_closed"),
    NamedFault("part-turns-twice", "The part turns at twice the jig's speed.", _S, ONCE, "scan.repeated"),
    NamedFault("part-two-objects", "Something else lies beside the part.", _S, ONCE, "part.two_objects"),
    NamedFault("part-at-sensor-edge", "The part sits so far aside that the camera does not see all of it.", _S, ONCE, "part.at_sensor_edge"),
    NamedFault("part-rust-film", "The part is rusty in places.", _S, ONCE, None, judged=True, makes=UNKNOWN),
    NamedFault("part-thread", "A thread of a cleaning cloth lies on the part.", _S, ONCE, None, judged=True, makes=UNKNOWN),
    NamedFault("part-burred-dent", "The part has a knock with a burr.", _S, ONCE, None, judged=True, makes=UNKNOWN),
    NamedFault("part-droplets", "Drops of coolant stand on the part.", _S, ONCE, None, judged=True, makes=UNKNOWN),
    NamedFault("part-label", "A paper label is stuck on the part.", _S, ONCE, None, judged=True, makes=UNKNOWN),
    NamedFault("part-wrong-material", "The part is of another material.", _S, ONCE, None, judged=True, makes=UNKNOWN),
    # golden parts, and who lays them in
    NamedFault("golden-missing", "A golden part is not at hand, and is laid in when it was found.", _I, UNTIL_CLEARED, "part.challenge_due", golden=True),
    NamedFault("golden-twice", "A golden part is laid in once more, and is taken away when that is seen.", _D, UNTIL_CLEARED, "part.golden_refused", golden=True),
    NamedFault("golden-wrong", "A part of another class is laid in for a golden part.", _I, ONCE, "part.challenge_failed", golden=True),
    # jig
    NamedFault("jig-never-at-speed", "The jig turns too slowly and never reaches its speed.", _T, ONCE, "jig.not_at_speed"),
    NamedFault("jig-slips", "The jig slows down in mid-scan.", _T, ONCE, "jig.slipped"),
    NamedFault("jig-creeps", "The jig turns more slowly than its drive reports.", _T, ONCE, "jig.slipped"),
    NamedFault("jig-runs-on", "The jig does not stop.", _H, UNTIL_CLEARED, "jig.not_stopped"),
    NamedFault("jig-drive-fault", "The jig's drive stops with a fault.", _T, UNTIL_CLEARED, "jig.fault"),
    NamedFault("jig-program-restarts", "The jig's controller begins anew, its registers too, while it is to stop.", _H, ONCE, None),
    NamedFault("jig-noise", "Noise on the jig's serial line spoils every tenth answer.", _T, 1.0, None),
    NamedFault("jig-silent", "The line to the jig is dead.", _T, 1.5, "jig.unreachable"),
    # robot
    NamedFault("robot-acknowledges-late", "The robot takes an order, and acknowledges it, late.", _U, ONCE, None),
    NamedFault("robot-deaf", "The robot never takes an order that was written to it.", _U, ONCE, "robot.no_acknowledge"),
    NamedFault("robot-answer-lost", "The robot takes an order; the answer to the request is lost.", _U, ONCE, None),
    NamedFault("robot-answer-repeated", "The answer to the request that brings the robot an order comes twice.", _U, ONCE, None),
    NamedFault("robot-stuck", "The robot stops in mid-motion, busy for ever.", _U, UNTIL_CLEARED, "robot.not_done"),
    NamedFault("robot-drops-part", "The gripper loses the part on its way to its place.", _U, ONCE, "robot.part_lost"),
    NamedFault("robot-leaves-safe-zone", "The arm leaves the safe zone after it has loaded the part.", _L, ONCE, "robot.not_in_safe_zone"),
    NamedFault("robot-fault", "The robot stops with a fault, the part in its gripper.", _U, ONCE, "robot.fault"),
    NamedFault("robot-program-restarts", "The robot's program begins anew in mid-motion, its registers too.", _U, ONCE, "robot.not_done"),
    NamedFault("robot-wrong-bin", "The robot lays the part in another bin, and says so.", _U, ONCE, "robot.wrong_bin"),
    # line PLC
    NamedFault("plc-silent", "The line PLC does not answer any more.", _T, 2.5, "plc.unreachable"),
    NamedFault("plc-stale", "The line PLC's program stands still; its registers still answer.", _T, 1.5, "plc.stale"),
    NamedFault("plc-illegal-command", "The line PLC sends a command that the station's state does not accept.", _T, ONCE, None),
    NamedFault("plc-permission-withdrawn", "The line PLC withdraws its permission.", _T, 1.0, "plc.no_permission"),
    NamedFault("plc-permission-kept-back", "The line PLC withdraws its permission for good.", _T, UNTIL_CLEARED, "plc.no_permission"),
    NamedFault("plc-id-blank", "The line PLC announces the waiting part with an id of blanks.", _T, 1.5, "part.bad_id"),
    NamedFault("plc-type-unknown", "The line PLC announces the waiting part with a type that nobody knows.", _T, 1.5, "part.unknown_type"),
    NamedFault("plc-bins-full", "The line PLC says that all places are full.", _T, 1.0, "plc.bin_full"),
    NamedFault("plc-result-ignored", "The line PLC does not acknowledge results.", _T, 2.0, "plc.result_not_taken"),
    NamedFault("plc-program-restarts", "The line PLC's program is stopped and begins anew, its registers too; its server answers.", _T, 1.5, "plc.stale"),
    NamedFault("plc-restarts-before-acknowledging", "The line PLC's program begins anew, its registers too, before it acknowledges a result.", _T, ONCE, None),
    NamedFault("plc-block-cleared", "The line PLC loses what the station has written.", _T, ONCE, None),
    NamedFault("plc-keeps-clearing", "The line PLC clears what the station writes again and again.", _T, 2.0, "plc.overwritten"),
    NamedFault("plc-part-swapped", "Another part is put in its place, and the line PLC announces that one.", _A, ONCE, "part.withdrawn"),
    NamedFault("plc-part-renamed", "Another part is put in its place, and the line PLC announces that one under the same number.", _A, ONCE, "part.withdrawn"),
    NamedFault("plc-part-cleared", "The line PLC takes the announcement back, and announces the part anew later.", _A, 0.3, "part.withdrawn"),
    NamedFault("plc-permission-lost", "The line PLC withdraws its permission before the part is loaded.", _A, 0.3, "part.withdrawn"),
    NamedFault("plc-restarted", "The line PLC begins anew with empty registers, counts from 1, and announces the part that waits.", _A, ONCE, "part.withdrawn"),
    NamedFault("plc-part-swapped-camera-away", "The camera's cable is out between two parts, and meanwhile another part is put in the place of the next.", _H, 2.5, "part.withdrawn"),
    # network
    NamedFault("robot-net-refused", "The robot's port refuses connections.", _U, 0.2, None),
    NamedFault("robot-net-reset", "The connection to the robot is reset.", _U, ONCE, None),
    NamedFault("robot-net-half-open", "What is sent to the robot and by it is swallowed.", _U, 2.5, "robot.unreachable"),
    NamedFault("robot-net-split", "What the robot sends comes byte by byte.", _L, 0.5, None),
    NamedFault("robot-net-late", "What the robot sends comes 50 ms late.", _L, 0.5, None),
    NamedFault("robot-net-garbage", "What the robot sends is garbage.", _U, 0.2, None),
    NamedFault("plc-net-refused", "The line PLC's port refuses connections.", _T, 2.0, "plc.unreachable"),
    NamedFault("plc-net-reset", "The connection to the line PLC is reset.", _T, ONCE, None),
    NamedFault("plc-net-half-open", "What is sent to the line PLC and by it is swallowed.", _T, 2.5, "plc.unreachable"),
    NamedFault("plc-net-split", "What the line PLC sends comes byte by byte.", _T, 0.5, None),
    NamedFault("plc-net-late", "What the line PLC sends comes 50 ms late.", _T, 0.5, None),
    NamedFault("plc-net-garbage", "What the line PLC sends is garbage.", _T, 2.0, "plc.unreachable"),
)
# fmt: on

NAMED_FAULTS: dict[str, NamedFault] = {row.name: row for row in _ROWS}
"""The whole table, by name."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A fault that is to strike.

    Attributes:
        fault: Which.
        part: Number of the fed part, counted from 1, or a part id, whose moment it waits for. None: one that strikes
            once waits for the next part's moment, one that lasts begins at once.
    """

    fault: NamedFault
    part: str | None = None

    def __str__(self) -> str:
        return self.fault.name if self.part is None else f"{self.fault.name}@{self.part}"


def named_fault(name: str) -> NamedFault:
    """The row with this name.

    Raises:
        ConfigError: There is none.
    """
    if name not in NAMED_FAULTS:
        raise ConfigError("config.bad_option", f"there is no fault {name!r}; there are {', '.join(NAMED_FAULTS)}")
    return NAMED_FAULTS[name]


def wishes(texts: list[str]) -> tuple[Wish, ...]:
    """The wishes of a command line: each text is `NAME[@PART]`, or several with commas between them.

    Raises:
        ConfigError: A name is unknown, or there is nothing after the `@`.
    """
    return tuple(_wish(word.strip()) for text in texts for word in text.split(","))


def listing() -> str:
    """The table as text: name, moment, end, the station's code, and what breaks."""
    rows = [(f.name, f"when {f.moment.meaning}", f.ends, f.shows, f.breaks) for f in NAMED_FAULTS.values()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)


def _wish(word: str) -> Wish:
    name, at, part = word.partition("@")
    if at and not part:
        raise ConfigError("config.bad_option", f"{word!r}: a part's number or id must follow the @")
    return Wish(named_fault(name), part or None)
