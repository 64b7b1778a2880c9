"""The producer's C interface, called as a consumer without harvesters would call it."""

import ctypes
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.gentl.build import PRODUCER, SOURCES, build

WIDTH = 0x094
NEW_BUFFER = 1

Void = ctypes.c_void_p


class Producer:
    """The library, and the handles of its modules as they are opened."""

    def __init__(self, path: Path) -> None:
        self.library = ctypes.CDLL(str(path))
        self.system = self.interface = self.device = self.stream = self.event = Void()

    def call(self, function: str, *arguments: object) -> int:
        return int(getattr(self.library, function)(*arguments))

    def must(self, function: str, *arguments: object) -> None:
        assert self.call(function, *arguments) == 0, self.last_error()

    def opened(self, function: str, *arguments: object) -> Void:
        handle = Void()
        self.must(function, *arguments, ctypes.byref(handle))
        return handle

    def last_error(self) -> tuple[int, str]:
        code, text, size = ctypes.c_int32(), ctypes.create_string_buffer(256), ctypes.c_size_t(256)
        assert self.call("GCGetLastError", ctypes.byref(code), text, ctypes.byref(size)) == 0
        return code.value, text.value.decode()

    def info(self, function: str, *arguments: object) -> tuple[int, bytes]:
        """Data type and raw bytes of one item."""
        kind, size = ctypes.c_int32(), ctypes.c_size_t()
        self.must(function, *arguments, ctypes.byref(kind), None, ctypes.byref(size))
        value = ctypes.create_string_buffer(size.value)
        self.must(function, *arguments, ctypes.byref(kind), value, ctypes.byref(size))
        return kind.value, value.raw[: size.value]

    def number(self, function: str, *arguments: object) -> int:
        return int.from_bytes(self.info(function, *arguments)[1], "little")

    def write(self, address: int, value: int) -> int:
        return self.write_bytes(address, value.to_bytes(4, "little"))

    def write_bytes(self, address: int, value: bytes) -> int:
        port, size = self.opened("DevGetPort", self.device), ctypes.c_size_t(len(value))
        return self.call("GCWritePort", port, ctypes.c_uint64(address), value, ctypes.byref(size))

    def read_bytes(self, address: int, size: int) -> tuple[int, bytes]:
        """The refusal, 0 for none, and what was read."""
        port, value = self.opened("DevGetPort", self.device), ctypes.create_string_buffer(size)
        code = self.call("GCReadPort", port, ctypes.c_uint64(address), value, ctypes.byref(ctypes.c_size_t(size)))
        return code, value.raw

    def await_block(self, timeout_ms: int) -> tuple[int, Void]:
        data, size = (Void * 2)(), ctypes.c_size_t(16)
        code = self.call("EventGetData", self.event, data, ctypes.byref(size), ctypes.c_uint64(timeout_ms))
        return code, Void(data[0])

    def announce(self, count: int, size: int) -> list[Void]:
        nothing = Void()
        arguments = (self.stream, ctypes.c_size_t(size), nothing)
        return [self.opened("DSAllocAndAnnounceBuffer", *arguments) for _ in range(count)]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, so that no other test shares its state."""
    if not (SOURCES / PRODUCER).exists():
        build(SOURCES / PRODUCER)
    return Path(shutil.copy(SOURCES / PRODUCER, tmp_path_factory.mktemp("producer")))


@pytest.fixture
def gentl(library: Path) -> Iterator[Producer]:
    """Everything open down to the stream and its event; blocks of 16 pixels."""
    it = Producer(library)
    it.must("GCInitLib")
    it.system = it.opened("TLOpen")
    it.interface = it.opened("TLOpenInterface", it.system, b"station-linescan-interface")
    it.device = it.opened("IFOpenDevice", it.interface, b"station-linescan-1", 4)
    it.stream = it.opened("DevOpenDataStream", it.device, b"station-linescan-1")
    it.event = it.opened("GCRegisterEvent", it.stream, NEW_BUFFER)
    assert it.write(WIDTH, 16) == 0
    yield it
    it.must("GCCloseLib")
