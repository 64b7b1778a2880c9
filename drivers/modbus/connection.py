"""One open Modbus connection, TCP or RTU: the only place that knows pymodbus' client.

One request at a time, each with its own deadline; pymodbus neither repeats a request nor connects again. A connection
on which a request got no answer, or a wrong one, or was cancelled, is dropped and never used again, so that a late
answer cannot be taken for the next request's.
"""

import asyncio
import termios
from collections.abc import Awaitable, Callable

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ExceptionResponse, ModbusPDU

from drivers.modbus.answers import answers_of
from drivers.modbus.cancellation import cancellation_kept
from drivers.modbus.family import Family
from drivers.modbus.refusal import ILLEGAL_VALUE, Refusal
from drivers.modbus.register_map import Kind, Run
from drivers.modbus.requests import WRITE_MOST
from drivers.modbus.serial_port import someones_terminal, why_not
from drivers.modbus.serial_transport import listen_to_edges
from drivers.modbus.silence import silence_s
from station.core.errors import FAULTS, DeviceError
from station.core.settings import RtuLink, TcpLink, expand

_LIBRARY_PATIENCE_S = 5.0  # beyond our own deadlines, which end every wait
_FUNCTIONS = {"holding": 3, "input": 4}
_EXCEPTIONS: dict[int, str] = {
    ExcCodes.ILLEGAL_FUNCTION: "illegal function",
    ExcCodes.ILLEGAL_ADDRESS: "illegal data address",
    ExcCodes.ILLEGAL_VALUE: "illegal data value",
    ExcCodes.DEVICE_FAILURE: "device failure",
    ExcCodes.ACKNOWLEDGE: "acknowledge",
    ExcCodes.DEVICE_BUSY: "device busy",
    ExcCodes.GATEWAY_PATH_UNAVIABLE: "gateway path unavailable",
    ExcCodes.GATEWAY_NO_RESPONSE: "gateway target does not respond",
}
_PASSING = {5, 6, 10, 11}
"""Exceptions that are no refusal: it is being done, it may be done later, or nobody knows what is behind the gateway.
Source: MODBUS Application Protocol V1.1b3, section 7."""


class ModbusConnection:
    """A connection that is opened once, used until its first failure, and dropped.

    Args:
        settings: Address, unit, deadlines.
        family: Of the device.
        write_most: Registers that one request may carry.
    """

    def __init__(self, settings: TcpLink | RtuLink, family: Family, write_most: int = WRITE_MOST) -> None:
        self._settings = settings
        self._family = family
        self._write_most = write_most
        self._client: AsyncModbusTcpClient | AsyncModbusSerialClient | None = None
        self._answers = answers_of(settings)
        self._deadline: asyncio.Timeout | None = None
        self._silence_s = silence_s(settings)
        self._silent_from = 0.0

    @property
    def open(self) -> bool:
        """Whether requests may still be sent."""
        return self._client is not None and self._client.connected

    async def establish(self) -> None:
        """Open the TCP connection or the serial port.

        Raises:
            DeviceError: `unreachable`; the detail says why.
        """
        patience = self._settings.request_timeout_s
        if isinstance(self._settings, RtuLink):
            await self._require_serial_line(expand(self._settings.device))
        self._client = _client(self._settings, lambda connected: None if connected else self.abandon(), self._watch)
        try:
            with cancellation_kept():
                async with asyncio.timeout(patience):
                    opened = await self._client.connect()
        except (TimeoutError, OSError, ValueError, termios.error, ModbusException) as error:
            raise self.unreachable(f"cannot be opened: {error or 'no answer'}") from error
        if not opened:
            raise self.unreachable(f"cannot be opened{await _serial_problem(self._settings)}")

    async def _require_serial_line(self, device: str) -> None:
        if owner := await asyncio.to_thread(someones_terminal, device):
            raise self.unreachable(f"is not opened: {owner}")

    async def read(self, kind: Kind, address: int, count: int) -> list[int]:
        """The words from `address` on, `count` of them.

        Raises:
            DeviceError: `unreachable` without a good answer in time; `wrong_map` when the device refuses to answer.
        """
        what = f"function {_FUNCTIONS[kind]}, {kind} {address} to {address + count - 1}"
        answer = await self._ask(what, lambda client: self._read(client, kind, address, count))
        if isinstance(answer, ExceptionResponse):
            hint = f": it gives fewer than {count} registers in one request, lower read_most in its profile"
            told = what + hint * (count > 1 and answer.exception_code == ILLEGAL_VALUE)
            raise self._refusal(told, answer.exception_code, "wrong_map") from Refusal(answer.exception_code)
        if answer.function_code != _FUNCTIONS[kind] or len(answer.registers) != count:
            self.drop()
            raise self.unreachable(f"{what}: the answer belongs to another request")
        return list(answer.registers)

    async def write(self, run: Run) -> None:
        """Write neighbouring holding registers, the first ones first where one request does not carry them all.

        Raises:
            DeviceError: `unreachable` when it is unknown whether the device has taken it, or when it has not because it
                was busy (the connection stays then); `refused` (of a PLC `wrong_map`) when the device says that it will
                not.
        """
        for start in range(0, len(run.words), self._write_most):
            words = run.words[start : start + self._write_most]
            await self._write(run.address + start, words)

    async def _write(self, address: int, words: list[int]) -> None:
        what = f"function 16, holding {address} to {address + len(words) - 1}"
        answer = await self._ask(
            what, lambda client: client.write_registers(address, words, device_id=self._settings.unit)
        )
        if isinstance(answer, ExceptionResponse):
            if answer.exception_code == ExcCodes.ACKNOWLEDGE:
                return  # taken, and not yet done
            refuses = f"{self._family.name}.refused" in FAULTS
            key = "refused" if refuses else "wrong_map"
            raise self._refusal(what, answer.exception_code, key) from Refusal(answer.exception_code)
        if (answer.function_code, answer.address, answer.count) != (16, address, len(words)):
            self.drop()
            raise self.unreachable(f"{what}: the answer belongs to another request")

    def abandon(self) -> None:
        """Let a request that waits for its answer fail at once."""
        if self._deadline and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time())

    def drop(self) -> None:
        """Close at once, without waiting for the other side; harmless when closed."""
        client, self._client = self._client, None
        if client:
            transport = client.ctx.transport
            client.close()
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()

    def unreachable(self, detail: str) -> DeviceError:
        """The error `unreachable` of this device, with its address."""
        return self._family.unreachable(f"{link_name(self._settings)} {detail}")

    async def _read(
        self, client: AsyncModbusTcpClient | AsyncModbusSerialClient, kind: Kind, address: int, count: int
    ) -> ModbusPDU:
        unit = self._settings.unit
        if kind == "input":
            return await client.read_input_registers(address, count=count, device_id=unit)
        return await client.read_holding_registers(address, count=count, device_id=unit)

    async def _ask(
        self, what: str, request: Callable[[AsyncModbusTcpClient | AsyncModbusSerialClient], Awaitable[ModbusPDU]]
    ) -> ModbusPDU:
        client = self._client
        if client is None or not client.connected:
            raise self.unreachable(f"{what}: the connection broke")
        try:
            with cancellation_kept():
                async with asyncio.timeout(self._settings.request_timeout_s) as self._deadline:
                    await self._keep_silence()
                    answer = await request(client)
        except TimeoutError:
            broke = not client.connected
            self.drop()
            within = f"no answer within {self._settings.request_timeout_s:g} s"
            came = f", but {came}" if (came := self._answers.trace()) else ""
            raise self.unreachable(f"{what}: {'the connection broke' if broke else within}{came}") from None
        except (ModbusException, OSError) as error:
            self.drop()
            raise self.unreachable(f"{what}: {error}") from error
        except BaseException:
            self.drop()
            raise
        finally:
            self._deadline = None
        self._silent_from = asyncio.get_running_loop().time()
        return answer

    def _watch(self, sending: bool, data: bytes) -> bytes:  # noqa: FBT001  # as pymodbus calls it
        """See every frame that goes out, and what has come in and was not used yet; what the client may see of that."""
        if sending:
            self._answers.sent(data)
            return data
        return self._answers.received(data)

    async def _keep_silence(self) -> None:
        if (pause := self._silent_from + self._silence_s - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(pause)

    def _refusal(self, what: str, exception: int, key: str) -> DeviceError:
        detail = f"{what}: exception {exception:02d}, {_EXCEPTIONS.get(exception, 'unknown')}"
        if exception in _PASSING:
            return self.unreachable(detail)
        return self._family.fault(key, f"{link_name(self._settings)} {detail}")


def link_name(settings: TcpLink | RtuLink) -> str:
    """The address of a link, for people."""
    if isinstance(settings, TcpLink):
        return f"{settings.host}:{settings.port} unit {settings.unit}"
    return f"{expand(settings.device)} unit {settings.unit}"


def _client(
    settings: TcpLink | RtuLink, on_change: Callable[[bool], None], watch: Callable[[bool, bytes], bytes]
) -> AsyncModbusTcpClient | AsyncModbusSerialClient:
    patience = settings.request_timeout_s + _LIBRARY_PATIENCE_S
    if isinstance(settings, TcpLink):
        return AsyncModbusTcpClient(
            settings.host,
            port=settings.port,
            timeout=patience,
            retries=0,
            reconnect_delay=0,
            trace_connect=on_change,
            trace_packet=watch,
        )
    return listen_to_edges(
        AsyncModbusSerialClient(
            expand(settings.device),
            baudrate=settings.baud_rate,
            parity=settings.parity,
            stopbits=settings.stop_bits,
            timeout=patience,
            retries=0,
            reconnect_delay=0,
            trace_connect=on_change,
            trace_packet=watch,
        )
    )


async def _serial_problem(settings: TcpLink | RtuLink) -> str:
    if isinstance(settings, TcpLink):
        return ""
    why = await asyncio.to_thread(why_not, expand(settings.device))
    return f": {why}" if why else ""
