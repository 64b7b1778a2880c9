"""The simulated spin jig: takes numbered orders at its registers and turns the cell's spindle.

It obeys the wired interlock, and stops by itself when its master is silent. Its drive holds the exact speeds of the
part types as presets, and an order selects the preset that it is the rounding of: 0.1 rpm, the register's step, would
otherwise be up to one line a turn. It looks at the cell's `broken` for what is to go wrong.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from drivers.modbus.register_map import Kind, RegisterMap
from sim.cell import Cell, ImpossibleError
from sim.devices.bank import RegisterBank, TakenOrders, beat
from sim.devices.robot import Spawn
from sim.faults import Moment
from sim.ledger import Place
from sim.pace import Pace
from station.core.clock import Clock
from station.core.part import PartType

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
LOSS_TIMEOUT_MS = 1000
WATCH_S = 0.05
FAULT_STALLED, FAULT_DRIVE = 1, 23
TOO_SLOW, CREEPING, SLIPPING = 1.5, 1.25, 1.2  # by how much longer a turn is than it should be
TENTHS_OF_RPM_NS = 600_000_000_000  # duration of a turn at 0.1 rpm


@dataclass(frozen=True, slots=True)
class JigDrive:
    """What the drive is set to.

    Attributes:
        ramp_s: Time to reach a speed, and to come to a standstill.
        max_speed_rpm: Highest speed that it takes an order for.
        presets_ns: Exact duration of a turn by ordered speed in tenths of rpm.
    """

    ramp_s: float
    max_speed_rpm: float
    presets_ns: dict[int, int]

    def period_ns(self, tenths_rpm: int) -> int:
        """Duration of a turn at an ordered speed, which is not 0."""
        return self.presets_ns.get(tenths_rpm, round(TENTHS_OF_RPM_NS / tenths_rpm))


def presets(part_types: Sequence[PartType]) -> dict[int, int]:
    """The presets for these part types."""
    return {round(10 * kind.speed_rpm): round(1e9 * kind.turn_s) for kind in part_types}


class JigDevice:
    """A Modbus slave that is the jig's drive.

    Args:
        registers: The jig's map.
        cell: Whose spindle it turns.
        drive: What it is set to.
        pace: How long its ramps take here.
        clock: For its heartbeat and its watch over the master.
        spawn: Starts its motions.
    """

    def __init__(
        self, registers: RegisterMap, cell: Cell, drive: JigDrive, *, pace: Pace, clock: Clock, spawn: Spawn
    ) -> None:
        self._bank = RegisterBank(registers)
        self._cell = cell
        self._drive = drive
        self._pace = pace
        self._clock = clock
        self._spawn = spawn
        self._taken = TakenOrders()
        self._motion: asyncio.Task[None] | None = None
        self._turning = False
        self._creeps = False
        self._heard_ns = clock.monotonic_ns()
        self._bank.publish({"loss_action": "stop", "loss_timeout": LOSS_TIMEOUT_MS})

    def read(self, kind: Kind, address: int, count: int) -> list[int]:
        """The words from this address on, as things are now.

        Raises:
            RefusedError: They go beyond the map.
        """
        self._heard_ns = self._clock.monotonic_ns()
        spindle = self._cell.spindle
        self._bank.publish(
            {
                "heartbeat": beat(self._heard_ns),
                "standstill": spindle.standstill,
                "at_speed": self._cell.at_speed,
                "part_seated": self._cell.part_at(Place.JIG) is not None,
                "drive_fault": self._drive_fault(),
                "speed": spindle.speed_rpm * (CREEPING if self._creeps else 1.0),
                "index_pulses": spindle.index_pulses & 0xFFFF,
                "index_period": spindle.period_ns / NS_PER_MS,
            }
        )
        return self._bank.read(kind, address, count)

    def write(self, address: int, words: list[int]) -> None:
        """Take the words, and with a new number the order; a new order takes the place of one that is not done.

        Raises:
            RefusedError: Wrong addresses or values.
        """
        self._heard_ns = self._clock.monotonic_ns()
        number = int(self._bank.check(address, words).get("order_number", 0))
        self._bank.store(address, words)
        if self._taken.is_new(number):
            self._taken.take(number)
            self._bank.publish({"order_acknowledged": number})
            self._obey(number)

    def check_master(self) -> None:
        """Stop the jig when the master was silent for `loss_timeout`."""
        silent_ns = self._clock.monotonic_ns() - self._heard_ns
        if self._turning and silent_ns >= LOSS_TIMEOUT_MS * NS_PER_MS and not self._cell.broken.present("jig-runs-on"):
            self._brake()

    async def watch_master(self) -> None:
        """Check the master for ever; the time is real at every pace."""
        while True:
            self.check_master()
            await asyncio.sleep(WATCH_S)

    def _obey(self, number: int) -> None:
        verb, tenths_rpm = self._bank.label("order_verb"), self._bank.count("order_speed")
        self._cell.broken.reach(Moment.STOP if verb == "stop" else Moment.SPIN, self._cell.part_id_at(Place.JIG))
        if self._cell.broken.take("jig-program-restarts"):
            self._begin_anew()
        elif verb == "stop":
            self._stop(number)
        elif verb == "spin" and 0 < tenths_rpm <= 10 * self._drive.max_speed_rpm:
            self._spin(number, tenths_rpm)
        else:
            self._finish(number, "refused")

    def _spin(self, number: int, tenths_rpm: int) -> None:
        broken = self._cell.broken
        period_ns = self._drive.period_ns(tenths_rpm)
        too_slow, self._creeps = broken.take("jig-never-at-speed"), broken.take("jig-creeps")
        longer = TOO_SLOW if too_slow else CREEPING if self._creeps else 1.0
        try:
            self._cell.spin(round(longer * period_ns), self._pace.duration_s(self._drive.ramp_s))
        except ImpossibleError:
            self._finish(number, "refused")
            return
        self._abandon()
        self._turning = True
        if broken.present("jig-drive-fault"):
            self._motion = self._spawn(self._break_down(number))
        elif not too_slow:
            self._motion = self._spawn(self._run_up(number, period_ns))

    async def _run_up(self, number: int, period_ns: int) -> None:
        await self._end_ramp(number, self._drive.ramp_s)
        if self._turning and self._cell.broken.take("jig-slips"):
            await self._pace.take(period_ns / NS_PER_S / 2)
            self._cell.change_speed(round(SLIPPING * period_ns))

    async def _break_down(self, number: int) -> None:
        await self._pace.take(self._drive.ramp_s / 2)
        self._turning = False
        self._cell.brake(0.0)
        self._finish(number, "failed")

    def _stop(self, number: int) -> None:
        if self._cell.broken.present("jig-runs-on"):
            self._abandon()
            self._motion = self._spawn(self._stop_when_it_can(number))
        else:
            self._motion = self._spawn(self._end_ramp(number, self._brake()))

    async def _stop_when_it_can(self, number: int) -> None:
        await self._cell.broken.ended("jig-runs-on")
        self._motion = None
        self._motion = self._spawn(self._end_ramp(number, self._brake()))

    def _begin_anew(self) -> None:
        """Come to rest, with registers at their first values and no memory of any order."""
        self._brake()
        self._bank.clear()
        self._bank.switch_on()
        self._bank.publish({"loss_action": "stop", "loss_timeout": LOSS_TIMEOUT_MS})
        self._taken.forget()

    def _brake(self) -> float:
        """Begin to stop; the ramp's nominal length."""
        self._abandon()
        self._turning = False
        ramp_s = 0.0 if self._cell.spindle.standstill else self._drive.ramp_s
        self._cell.brake(self._pace.duration_s(ramp_s))
        return ramp_s

    def _drive_fault(self) -> int:
        if self._cell.broken.present("jig-drive-fault"):
            return FAULT_DRIVE
        return FAULT_STALLED if self._cell.stalled else 0

    async def _end_ramp(self, number: int, ramp_s: float) -> None:
        await self._pace.take(ramp_s)
        stalled = self._turning and self._cell.stalled
        if self._turning and not stalled:
            self._cell.reach_speed()
        self._finish(number, "failed" if stalled else "done")

    def _abandon(self) -> None:
        if self._motion:
            self._motion.cancel()

    def _finish(self, number: int, result: str) -> None:
        self._bank.publish({"order_done": number, "order_result": result})
