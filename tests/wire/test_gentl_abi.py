"""The producer's C interface, called as a consumer without harvesters would: handles, data types, events."""

import ctypes
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sim.gentl.build import PRODUCER, SOURCES, build

NOT_INITIALIZED, IN_USE, HANDLE, ID, NO_DATA = -1002, -1004, -1006, -1007, -1008
PARAMETER, IO, TIMEOUT, ABORT, BUFFER = -1009, -1010, -1011, -1012, -1013
ADDRESS, TOO_SMALL, INDEX, BUSY = -1015, -1016, -1017, -1022
STRING, INT32, UINT32, UINT64, PTR, BOOL8, SIZET = 1, 5, 6, 8, 10, 11, 12
NEW_BUFFER = 1
WIDTH, START, STOP, LOCKED = 0x094, 0x1E0, 0x1E4, 0x0A8

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
        port = self.opened("DevGetPort", self.device)
        data, size = ctypes.c_uint32(value), ctypes.c_size_t(4)
        return self.call("GCWritePort", port, ctypes.c_uint64(address), ctypes.byref(data), ctypes.byref(size))

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
def producer(library: Path) -> Iterator[Producer]:
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


def streaming(producer: Producer, buffers: int = 4) -> list[Void]:
    announced = producer.announce(buffers, 16 * 448)
    for buffer in announced:
        producer.must("DSQueueBuffer", producer.stream, buffer)
    producer.must("DSStartAcquisition", producer.stream, 0, ctypes.c_uint64(2**64 - 1))
    assert producer.write(START, 1) == 0
    return announced


def in_background(work: Callable[[], int]) -> tuple[threading.Thread, list[int]]:
    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    return thread, results


# ---- handles ----

OUT = ctypes.byref(ctypes.create_string_buffer(64))
SIZE = ctypes.byref(ctypes.c_size_t(64))
BY_HANDLE: list[tuple[str, str, tuple[object, ...]]] = [
    ("TLClose", "system", ()), ("TLGetInfo", "system", (0, None, OUT, SIZE)),
    ("TLUpdateInterfaceList", "system", (None, ctypes.c_uint64(0))), ("TLGetNumInterfaces", "system", (OUT,)),
    ("TLGetInterfaceID", "system", (0, OUT, SIZE)), ("TLOpenInterface", "system", (b"station-linescan-interface", OUT)),
    ("TLGetInterfaceInfo", "system", (b"station-linescan-interface", 0, None, OUT, SIZE)),
    ("IFClose", "interface", ()), ("IFGetInfo", "interface", (0, None, OUT, SIZE)),
    ("IFGetParentTL", "interface", (OUT,)), ("IFUpdateDeviceList", "interface", (None, ctypes.c_uint64(0))),
    ("IFGetNumDevices", "interface", (OUT,)), ("IFGetDeviceID", "interface", (0, OUT, SIZE)),
    ("IFGetDeviceInfo", "interface", (b"station-linescan-1", 0, None, OUT, SIZE)),
    ("IFOpenDevice", "interface", (b"station-linescan-1", 4, OUT)),
    ("DevClose", "device", ()), ("DevGetInfo", "device", (0, None, OUT, SIZE)), ("DevGetParentIF", "device", (OUT,)),
    ("DevGetPort", "device", (OUT,)), ("DevGetNumDataStreams", "device", (OUT,)),
    ("DevGetDataStreamID", "device", (0, OUT, SIZE)), ("DevOpenDataStream", "device", (b"station-linescan-1", OUT)),
    ("DSClose", "stream", ()), ("DSGetInfo", "stream", (0, None, OUT, SIZE)), ("DSGetParentDev", "stream", (OUT,)),
    ("DSAnnounceBuffer", "stream", (OUT, ctypes.c_size_t(64), None, OUT)),
    ("DSAllocAndAnnounceBuffer", "stream", (ctypes.c_size_t(64), None, OUT)), ("DSFlushQueue", "stream", (4,)),
    ("DSStartAcquisition", "stream", (0, ctypes.c_uint64(1))), ("DSStopAcquisition", "stream", (0,)),
    ("DSGetBufferID", "stream", (0, OUT)), ("DSQueueBuffer", "stream", (None,)),
    ("DSRevokeBuffer", "stream", (None, None, None)), ("DSGetBufferInfo", "stream", (None, 0, None, OUT, SIZE)),
    ("DSGetBufferChunkData", "stream", (None, OUT, SIZE)), ("DSGetNumBufferParts", "stream", (None, OUT)),
    ("DSGetBufferPartInfo", "stream", (None, 0, 0, None, OUT, SIZE)),
    ("GCRegisterEvent", "stream", (1, OUT)), ("GCUnregisterEvent", "stream", (1,)),
    ("EventGetData", "event", (OUT, SIZE, ctypes.c_uint64(0))), ("EventGetInfo", "event", (0, None, OUT, SIZE)),
    ("EventGetDataInfo", "event", (OUT, ctypes.c_size_t(16), 0, None, OUT, SIZE)), ("EventFlush", "event", ()),
    ("EventKill", "event", ()),
    ("GCGetPortInfo", "device", (0, None, OUT, SIZE)), ("GCGetNumPortURLs", "device", (OUT,)),
    ("GCGetPortURL", "device", (OUT, SIZE)), ("GCGetPortURLInfo", "device", (0, 0, None, OUT, SIZE)),
    ("GCReadPort", "device", (ctypes.c_uint64(0), OUT, SIZE)),
    ("GCWritePort", "device", (ctypes.c_uint64(0), OUT, SIZE)),
    ("GCReadPortStacked", "device", (OUT, ctypes.byref(ctypes.c_size_t(0)))),
    ("GCWritePortStacked", "device", (OUT, ctypes.byref(ctypes.c_size_t(0)))),
]  # fmt: skip


@pytest.mark.parametrize(("function", "module", "rest"), BY_HANDLE, ids=[row[0] for row in BY_HANDLE])
def test_a_null_stale_or_foreign_handle_is_refused(
    producer: Producer, function: str, module: str, rest: tuple[object, ...]
) -> None:
    used = getattr(producer, module)
    foreign = producer.device if module == "event" else producer.event
    assert producer.call(function, None, *rest) == HANDLE
    assert producer.call(function, Void(0xDEAD_BEEF_0000), *rest) == HANDLE
    assert producer.call(function, foreign, *rest) == HANDLE
    producer.must("TLClose", producer.system)
    assert producer.call(function, used, *rest) == HANDLE
    assert producer.last_error()[0] == HANDLE
    producer.system = producer.opened("TLOpen")
    assert producer.call(function, used, *rest) == HANDLE, "a new module must not revive an old handle"


def test_nothing_works_before_the_library_is_initialised(library: Path) -> None:
    it = Producer(library)
    assert it.call("TLOpen", ctypes.byref(Void())) == NOT_INITIALIZED
    assert it.call("GCCloseLib") == NOT_INITIALIZED
    it.must("GCInitLib")
    assert it.call("GCInitLib") == IN_USE
    it.must("GCCloseLib")


def test_what_is_open_is_not_opened_twice(producer: Producer) -> None:
    out = ctypes.byref(Void())
    assert producer.call("TLOpen", out) == IN_USE
    assert producer.call("TLOpenInterface", producer.system, b"station-linescan-interface", out) == IN_USE
    assert producer.call("IFOpenDevice", producer.interface, b"station-linescan-1", 4, out) == IN_USE
    assert producer.call("DevOpenDataStream", producer.device, b"station-linescan-1", out) == IN_USE
    assert producer.call("GCRegisterEvent", producer.stream, NEW_BUFFER, out) == IN_USE


def test_unknown_ids_and_indices_are_refused(producer: Producer) -> None:
    out = ctypes.byref(Void())
    assert producer.call("IFOpenDevice", producer.interface, b"other", 4, out) == ID
    assert producer.call("IFOpenDevice", producer.interface, None, 4, out) == ID
    assert producer.call("IFGetDeviceID", producer.interface, 1, OUT, SIZE) == INDEX
    assert producer.call("DSGetBufferID", producer.stream, 0, out) == INDEX


def test_a_device_opened_for_reading_cannot_be_written(producer: Producer) -> None:
    producer.must("DevClose", producer.device)
    producer.device = producer.opened("IFOpenDevice", producer.interface, b"station-linescan-1", 2)
    assert producer.write(WIDTH, 32) == -1005
    assert producer.number("DevGetInfo", producer.device, 5) == 6


# ---- data types and registers ----


def test_items_have_exactly_the_standards_data_types(producer: Producer) -> None:
    (buffer, _) = producer.announce(2, 64)
    of_buffer = {
        PTR: (0, 2), SIZET: (1, 9, 10, 11, 12, 13, 14, 15, 18, 19, 22, 23, 27), UINT64: (3, 16, 20, 21, 24, 28),
        BOOL8: (4, 5, 6, 7, 17, 29, 30, 31), STRING: (8,), INT32: (26,),
    }  # fmt: skip
    of_stream = {STRING: (0, 10), UINT64: (1, 2, 6), SIZET: (3, 4, 5, 7, 11, 12, 13), BOOL8: (8, 9)}
    for kind, commands in of_buffer.items():
        assert {producer.info("DSGetBufferInfo", producer.stream, buffer, item)[0] for item in commands} == {kind}
    for kind, commands in of_stream.items():
        assert {producer.info("DSGetInfo", producer.stream, item)[0] for item in commands} == {kind}
    assert producer.info("GCGetInfo", 9) == (UINT32, (1).to_bytes(4, "little"))
    assert producer.info("DevGetInfo", producer.device, 9) == (UINT64, (10**9).to_bytes(8, "little"))


def test_a_buffer_that_is_too_small_gets_nothing(producer: Producer) -> None:
    value, size = ctypes.create_string_buffer(4), ctypes.c_size_t(4)
    assert producer.call("DevGetInfo", producer.device, 0, None, value, ctypes.byref(size)) == TOO_SMALL
    assert value.raw == bytes(4)
    assert producer.call("DevGetInfo", producer.device, 0, None, value, None) == PARAMETER


@pytest.mark.parametrize("address", [0x1F0, 0x095, 0x086, 2**40])
def test_only_whole_registers_can_be_reached(producer: Producer, address: int) -> None:
    assert producer.write(address, 1) == ADDRESS


# ---- streaming and events ----


def test_blocks_come_in_order_and_a_queued_buffer_cannot_be_revoked(producer: Producer) -> None:
    announced = streaming(producer)
    for number in range(1, 4):
        code, buffer = producer.await_block(2000)
        assert (code, producer.number("DSGetBufferInfo", producer.stream, buffer, 16)) == (0, number)
        producer.must("DSQueueBuffer", producer.stream, buffer)
        assert producer.call("DSQueueBuffer", producer.stream, buffer) == IN_USE
        assert producer.call("DSRevokeBuffer", producer.stream, buffer, None, None) == BUSY
    assert producer.write(STOP, 1) == 0
    producer.must("DSStopAcquisition", producer.stream, 1)
    producer.must("DSFlushQueue", producer.stream, 4)
    for buffer in announced:
        producer.must("DSRevokeBuffer", producer.stream, buffer, None, None)
        assert producer.call("DSQueueBuffer", producer.stream, buffer) == HANDLE


def test_the_engine_stops_by_itself_after_the_wanted_number(producer: Producer) -> None:
    for buffer in producer.announce(4, 16 * 448):
        producer.must("DSQueueBuffer", producer.stream, buffer)
    producer.must("DSStartAcquisition", producer.stream, 0, ctypes.c_uint64(1))
    assert producer.write(START, 1) == 0
    assert producer.await_block(2000)[0] == 0
    assert producer.number("DSGetInfo", producer.stream, 8) == 0


def test_buffers_of_consumer_and_producer_are_filled_alike_and_given_back(producer: Producer) -> None:
    memory = [ctypes.create_string_buffer(16 * 448) for _ in range(2)]
    size = ctypes.c_size_t(16 * 448)
    own = [producer.opened("DSAnnounceBuffer", producer.stream, one, size, Void(7)) for one in memory]
    assert producer.call("DSAnnounceBuffer", producer.stream, memory[0], size, None, ctypes.byref(Void())) == IN_USE
    theirs = producer.announce(2, 16 * 448)
    for buffer in (own[0], theirs[0], own[1], theirs[1]):
        producer.must("DSQueueBuffer", producer.stream, buffer)
    producer.must("DSStartAcquisition", producer.stream, 0, ctypes.c_uint64(4))
    assert producer.write(START, 1) == 0
    images = []
    for _ in range(4):
        code, buffer = producer.await_block(2000)
        base = producer.number("DSGetBufferInfo", producer.stream, buffer, 0)
        images.append((code, ctypes.string_at(base, 16)))
    assert images == [(0, bytes((448 * block + x) % 256 for x in range(16))) for block in range(4)]
    assert producer.write(STOP, 1) == 0
    producer.must("DSFlushQueue", producer.stream, 4)
    base, user = Void(), Void()
    producer.must("DSRevokeBuffer", producer.stream, own[0], ctypes.byref(base), ctypes.byref(user))
    assert (base.value, user.value) == (ctypes.addressof(memory[0]), 7)
    producer.must("DSRevokeBuffer", producer.stream, theirs[0], ctypes.byref(base), ctypes.byref(user))
    assert (base.value, user.value) == (None, None), "memory of the producer's own is not given away"


def test_too_few_buffers_or_a_second_start_are_refused(producer: Producer) -> None:
    endless = ctypes.c_uint64(2**64 - 1)
    producer.announce(1, 64)
    assert producer.call("DSStartAcquisition", producer.stream, 0, endless) == BUFFER
    producer.announce(1, 64)
    producer.must("DSStartAcquisition", producer.stream, 0, endless)
    assert producer.call("DSStartAcquisition", producer.stream, 0, endless) == IN_USE


def test_a_block_that_is_larger_than_the_buffer_is_incomplete_and_writes_nothing(producer: Producer) -> None:
    for buffer in producer.announce(2, 100):
        producer.must("DSQueueBuffer", producer.stream, buffer)
    producer.must("DSStartAcquisition", producer.stream, 0, ctypes.c_uint64(1))
    assert producer.write(START, 1) == 0
    code, buffer = producer.await_block(2000)
    items = [producer.number("DSGetBufferInfo", producer.stream, buffer, item) for item in (7, 29, 22, 9, 27)]
    assert (code, items) == (0, [1, 1, 0, 0, 16 * 448])
    base = producer.number("DSGetBufferInfo", producer.stream, buffer, 0)
    assert ctypes.string_at(base, 100) == bytes(100)


def test_a_wait_ends_with_its_time(producer: Producer) -> None:
    assert producer.await_block(1)[0] == TIMEOUT


def test_a_kill_before_the_wait_ends_that_wait_only(producer: Producer) -> None:
    producer.must("EventKill", producer.event)
    assert producer.await_block(1000)[0] == ABORT
    assert producer.await_block(1)[0] == TIMEOUT


@pytest.mark.parametrize(
    ("function", "module", "rest", "expected"),
    [
        ("EventKill", "event", (), ABORT),
        ("GCUnregisterEvent", "stream", (NEW_BUFFER,), ABORT),
        ("DSClose", "stream", (), ABORT),
        ("DevClose", "device", (), ABORT),
        ("station_sim_disconnect", None, (0, 1), IO),
    ],
)
def test_a_wait_without_end_is_ended_from_another_thread(
    producer: Producer, function: str, module: str | None, rest: tuple[object, ...], expected: int
) -> None:
    thread, results = in_background(lambda: producer.await_block(2**64 - 1)[0])
    handle = () if module is None else (getattr(producer, module),)
    producer.must(function, *handle, *rest)
    thread.join(5)
    assert results == [expected] or (results == [HANDLE] and module is not None)


def test_an_unplugged_camera_is_not_listed_until_it_is_plugged_in(producer: Producer) -> None:
    changed, count = ctypes.c_uint8(), ctypes.c_uint32()
    seen = []
    for away in (1, 0):
        producer.must("station_sim_disconnect", 0, away)
        producer.must("IFUpdateDeviceList", producer.interface, ctypes.byref(changed), ctypes.c_uint64(0))
        producer.must("IFGetNumDevices", producer.interface, ctypes.byref(count))
        seen.append((changed.value, count.value, producer.write(LOCKED, 0)))
    assert seen == [(1, 0, IO), (1, 1, 0)]


def test_the_in_process_faults_check_their_arguments(producer: Producer) -> None:
    for wrong in [(1, 3, 1, 0, 0, 0), (0, 11, 1, 0, 0, 0), (0, -1, 1, 0, 0, 0), (0, 3, 0, 0, 0, 0), (0, 7, 1, 0, 0, 6)]:
        assert producer.call("station_sim_set_fault", *wrong) == PARAMETER
    assert producer.call("station_sim_disconnect", 1, 1) == PARAMETER
    producer.must("station_sim_set_fault", 0, 3, 1, 0, 0, 0)
    streaming(producer)
    code, buffer = producer.await_block(2000)
    assert (code, producer.number("DSGetBufferInfo", producer.stream, buffer, 16)) == (0, 2)


def test_flushing_the_event_discards_what_was_delivered(producer: Producer) -> None:
    streaming(producer, buffers=2)
    assert producer.await_block(2000)[0] == 0
    assert producer.write(STOP, 1) == 0
    producer.must("EventFlush", producer.event)
    assert producer.number("EventGetInfo", producer.event, 1) == 0
    assert producer.await_block(0)[0] == TIMEOUT


def test_closing_everything_while_lines_run_ends_the_acquisition(producer: Producer) -> None:
    streaming(producer)
    assert producer.await_block(2000)[0] == 0
    producer.must("TLClose", producer.system)
    assert producer.await_block(0)[0] == HANDLE
