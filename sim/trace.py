"""What stood in the registers of PLC and robot, and when: one JSON object for each register that changes.

`{"s": seconds since the beginning, "device": "plc" or "robot", "register": NAME, "value": number or text}`. Registers
are looked at every two milliseconds, which is ten times as often as the station asks.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from drivers.modbus.register_map import Value
from station.core.errors import ConfigError

EVERY_S = 0.002


class Traced(Protocol):
    """A device whose registers can be looked at."""

    def now(self) -> Mapping[str, Value]:
        """All of its registers by name, as they stand."""


async def trace(path: Path, devices: Mapping[str, Traced]) -> None:
    """Write changes for ever; the first look is one.

    Raises:
        ConfigError: The file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", buffering=1) as file:
            began_s, known = time.monotonic(), dict[tuple[str, str], Value]()
            while True:
                now_s = round(time.monotonic() - began_s, 4)
                for device, registers in devices.items():
                    for name, value in registers.now().items():
                        if known.get((device, name)) != value:
                            known[device, name] = value
                            row = {"s": now_s, "device": device, "register": name, "value": value}
                            file.write(json.dumps(row) + "\n")
                await asyncio.sleep(EVERY_S)
    except OSError as error:
        raise ConfigError("config.file_failed", f"--trace {path}: {error.strerror}") from error
