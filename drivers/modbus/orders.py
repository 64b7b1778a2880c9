"""The registers of a device's orders: one is given, and does not stand there when it is over.

A program that begins anew would take an order that still stands for a new one.
"""

import asyncio

import structlog

from drivers.modbus.family import Family
from drivers.modbus.link import ModbusLink
from drivers.modbus.register_map import RegisterMap, Run
from station.core.errors import DeviceError

log = structlog.get_logger(__name__)


class OrderRegisters:
    """Where orders are written, and cleared.

    Args:
        link: To the device.
        registers: Its map.
        family: Of the device.
        retry_s: Time between two attempts to clear, where the device refuses as one may that is busy.
    """

    def __init__(self, link: ModbusLink, registers: RegisterMap, family: Family, retry_s: float) -> None:
        self._link = link
        self._family = family
        self._retry_s = retry_s
        names = [row.name for row in registers.select("write") if row.name.startswith("order_")]
        self._nothing = registers.encode_block(dict.fromkeys(names, 0))
        self._given: Run | None = None
        self._is_over = False
        self._refused = False
        self._due_s = 0.0

    async def give(self, run: Run) -> None:
        """Write an order.

        Raises:
            DeviceError: `unreachable` when it is unknown whether the device has taken it, or when it is busy;
                `refused` when it says that it will not.
        """
        self._given, self._is_over, self._refused, self._due_s = run, False, False, 0.0
        await self._link.write(run)

    def withdraw(self, run: Run) -> None:
        """Let the registers be cleared, if they still hold this order; what the device has taken it goes on with."""
        self._is_over = self._is_over or self._given is run

    async def clear_when_over(self) -> None:
        """Clear the registers of an order that is over; an order that is given meanwhile comes after that, and stands.

        Raises:
            DeviceError: `unreachable`; not of a device that has answered.
        """
        if not self._is_over or asyncio.get_running_loop().time() < self._due_s:
            return
        given, self._is_over = self._given, False
        try:
            for run in self._nothing:
                await self._link.write(run)
        except DeviceError as error:
            self._is_over = given is self._given
            if self._family.means("unreachable", error) and not self._link.has_answered(error):
                raise
            self._put_off(error)

    def _put_off(self, error: DeviceError) -> None:
        """Ask again later; told once for each order."""
        if not self._refused:
            log.warning("order_not_withdrawn", device=self._family.name, code=error.code, detail=error.detail)
        self._refused, self._due_s = True, asyncio.get_running_loop().time() + self._retry_s
