"""The producer's C interface, called as a consumer without harvesters would: handles, data types, events."""

import ctypes
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.wire.producer_abi import NEW_BUFFER, WIDTH, Producer, Void

NOT_INITIALIZED, IN_USE, HANDLE, ID, NO_DATA = -1002, -1004, -1006, -1007, -1008
PARAMETER, IO, TIMEOUT, ABORT, BUFFER = -1009, -1010, -1011, -1012, -1013
ADDRESS, TOO_SMALL, INDEX, BUSY = -1015, -1016, -1017, -1022
STRING, INT32, UINT32, UINT64, PTR, BOOL8, SIZET = 1, 5, 6, 8, 10, 11, 12
START, STOP, LOCKED = 0x1E0, 0x1E4, 0x0A8


def streaming(gentl: Producer, buffers: int = 4) -> list[Void]:
    announced = gentl.announce(buffers, 16 * 448)
    for buffer in announced:
        gentl.must("DSQueueBuffer", gentl.stream, buffer)
    gentl.must("DSStartAcquisition", gentl.stream, 0, ctypes.c_uint64(2**64 - 1))
    assert gentl.write(START, 1) == 0
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
    gentl: Producer, function: str, module: str, rest: tuple[object, ...]
) -> None:
    used = getattr(gentl, module)
    foreign = gentl.device if module == "event" else gentl.event
    assert gentl.call(function, None, *rest) == HANDLE
    assert gentl.call(function, Void(0xDEAD_BEEF_0000), *rest) == HANDLE
    assert gentl.call(function, foreign, *rest) == HANDLE
    gentl.must("TLClose", gentl.system)
    assert gentl.call(function, used, *rest) == HANDLE
    assert gentl.last_error()[0] == HANDLE
    gentl.system = gentl.opened("TLOpen")
    assert gentl.call(function, used, *rest) == HANDLE, "a new module must not revive an old handle"


def test_nothing_works_before_the_library_is_initialised(library: Path) -> None:
    it = Producer(library)
    assert it.call("TLOpen", ctypes.byref(Void())) == NOT_INITIALIZED
    assert it.call("GCCloseLib") == NOT_INITIALIZED
    it.must("GCInitLib")
    assert it.call("GCInitLib") == IN_USE
    it.must("GCCloseLib")


def test_what_is_open_is_not_opened_twice(gentl: Producer) -> None:
    out = ctypes.byref(Void())
    assert gentl.call("TLOpen", out) == IN_USE
    assert gentl.call("TLOpenInterface", gentl.system, b"station-linescan-interface", out) == IN_USE
    assert gentl.call("IFOpenDevice", gentl.interface, b"station-linescan-1", 4, out) == IN_USE
    assert gentl.call("DevOpenDataStream", gentl.device, b"station-linescan-1", out) == IN_USE
    assert gentl.call("GCRegisterEvent", gentl.stream, NEW_BUFFER, out) == IN_USE


def test_unknown_ids_and_indices_are_refused(gentl: Producer) -> None:
    out = ctypes.byref(Void())
    assert gentl.call("IFOpenDevice", gentl.interface, b"other", 4, out) == ID
    assert gentl.call("IFOpenDevice", gentl.interface, None, 4, out) == ID
    assert gentl.call("IFGetDeviceID", gentl.interface, 1, OUT, SIZE) == INDEX
    assert gentl.call("DSGetBufferID", gentl.stream, 0, out) == INDEX


def test_a_device_opened_for_reading_cannot_be_written(gentl: Producer) -> None:
    gentl.must("DevClose", gentl.device)
    gentl.device = gentl.opened("IFOpenDevice", gentl.interface, b"station-linescan-1", 2)
    assert gentl.write(WIDTH, 32) == -1005
    assert gentl.number("DevGetInfo", gentl.device, 5) == 6


# ---- data types and registers ----


def test_items_have_exactly_the_standards_data_types(gentl: Producer) -> None:
    (buffer, _) = gentl.announce(2, 64)
    of_buffer = {
        PTR: (0, 2), SIZET: (1, 9, 10, 11, 12, 13, 14, 15, 18, 19, 22, 23, 27), UINT64: (3, 16, 20, 21, 24, 28),
        BOOL8: (4, 5, 6, 7, 17, 29, 30, 31), STRING: (8,), INT32: (26,),
    }  # fmt: skip
    of_stream = {STRING: (0, 10), UINT64: (1, 2, 6), SIZET: (3, 4, 5, 7, 11, 12, 13), BOOL8: (8, 9)}
    for kind, commands in of_buffer.items():
        assert {gentl.info("DSGetBufferInfo", gentl.stream, buffer, item)[0] for item in commands} == {kind}
    for kind, commands in of_stream.items():
        assert {gentl.info("DSGetInfo", gentl.stream, item)[0] for item in commands} == {kind}
    assert gentl.info("GCGetInfo", 9) == (UINT32, (1).to_bytes(4, "little"))
    assert gentl.info("DevGetInfo", gentl.device, 9) == (UINT64, (10**9).to_bytes(8, "little"))


def test_a_buffer_that_is_too_small_gets_nothing(gentl: Producer) -> None:
    value, size = ctypes.create_string_buffer(4), ctypes.c_size_t(4)
    assert gentl.call("DevGetInfo", gentl.device, 0, None, value, ctypes.byref(size)) == TOO_SMALL
    assert value.raw == bytes(4)
    assert gentl.call("DevGetInfo", gentl.device, 0, None, value, None) == PARAMETER


@pytest.mark.parametrize("address", [0x1F0, 0x095, 0x086, 2**40])
def test_only_whole_registers_can_be_reached(gentl: Producer, address: int) -> None:
    assert gentl.write(address, 1) == ADDRESS


# ---- streaming and events ----


def test_blocks_come_in_order_and_a_queued_buffer_cannot_be_revoked(gentl: Producer) -> None:
    announced = streaming(gentl)
    for number in range(1, 4):
        code, buffer = gentl.await_block(2000)
        assert (code, gentl.number("DSGetBufferInfo", gentl.stream, buffer, 16)) == (0, number)
        gentl.must("DSQueueBuffer", gentl.stream, buffer)
        assert gentl.call("DSQueueBuffer", gentl.stream, buffer) == IN_USE
        assert gentl.call("DSRevokeBuffer", gentl.stream, buffer, None, None) == BUSY
    assert gentl.write(STOP, 1) == 0
    gentl.must("DSStopAcquisition", gentl.stream, 1)
    gentl.must("DSFlushQueue", gentl.stream, 4)
    for buffer in announced:
        gentl.must("DSRevokeBuffer", gentl.stream, buffer, None, None)
        assert gentl.call("DSQueueBuffer", gentl.stream, buffer) == HANDLE


def test_the_engine_stops_by_itself_after_the_wanted_number(gentl: Producer) -> None:
    for buffer in gentl.announce(4, 16 * 448):
        gentl.must("DSQueueBuffer", gentl.stream, buffer)
    gentl.must("DSStartAcquisition", gentl.stream, 0, ctypes.c_uint64(1))
    assert gentl.write(START, 1) == 0
    assert gentl.await_block(2000)[0] == 0
    assert gentl.number("DSGetInfo", gentl.stream, 8) == 0


def test_buffers_of_consumer_and_producer_are_filled_alike_and_given_back(gentl: Producer) -> None:
    memory = [ctypes.create_string_buffer(16 * 448) for _ in range(2)]
    size = ctypes.c_size_t(16 * 448)
    own = [gentl.opened("DSAnnounceBuffer", gentl.stream, one, size, Void(7)) for one in memory]
    assert gentl.call("DSAnnounceBuffer", gentl.stream, memory[0], size, None, ctypes.byref(Void())) == IN_USE
    theirs = gentl.announce(2, 16 * 448)
    for buffer in (own[0], theirs[0], own[1], theirs[1]):
        gentl.must("DSQueueBuffer", gentl.stream, buffer)
    gentl.must("DSStartAcquisition", gentl.stream, 0, ctypes.c_uint64(4))
    assert gentl.write(START, 1) == 0
    images = []
    for _ in range(4):
        code, buffer = gentl.await_block(2000)
        base = gentl.number("DSGetBufferInfo", gentl.stream, buffer, 0)
        images.append((code, ctypes.string_at(base, 16)))
    assert images == [(0, bytes((448 * block + x) % 256 for x in range(16))) for block in range(4)]
    assert gentl.write(STOP, 1) == 0
    gentl.must("DSFlushQueue", gentl.stream, 4)
    base, user = Void(), Void()
    gentl.must("DSRevokeBuffer", gentl.stream, own[0], ctypes.byref(base), ctypes.byref(user))
    assert (base.value, user.value) == (ctypes.addressof(memory[0]), 7)
    gentl.must("DSRevokeBuffer", gentl.stream, theirs[0], ctypes.byref(base), ctypes.byref(user))
    assert (base.value, user.value) == (None, None), "memory of the producer's own is not given away"


def test_too_few_buffers_or_a_second_start_are_refused(gentl: Producer) -> None:
    endless = ctypes.c_uint64(2**64 - 1)
    gentl.announce(1, 64)
    assert gentl.call("DSStartAcquisition", gentl.stream, 0, endless) == BUFFER
    gentl.announce(1, 64)
    gentl.must("DSStartAcquisition", gentl.stream, 0, endless)
    assert gentl.call("DSStartAcquisition", gentl.stream, 0, endless) == IN_USE


def test_a_block_that_is_larger_than_the_buffer_is_incomplete_and_writes_nothing(gentl: Producer) -> None:
    for buffer in gentl.announce(2, 100):
        gentl.must("DSQueueBuffer", gentl.stream, buffer)
    gentl.must("DSStartAcquisition", gentl.stream, 0, ctypes.c_uint64(1))
    assert gentl.write(START, 1) == 0
    code, buffer = gentl.await_block(2000)
    items = [gentl.number("DSGetBufferInfo", gentl.stream, buffer, item) for item in (7, 29, 22, 9, 27)]
    assert (code, items) == (0, [1, 1, 0, 0, 16 * 448])
    base = gentl.number("DSGetBufferInfo", gentl.stream, buffer, 0)
    assert ctypes.string_at(base, 100) == bytes(100)


def test_a_wait_ends_with_its_time(gentl: Producer) -> None:
    assert gentl.await_block(1)[0] == TIMEOUT


def test_a_kill_before_the_wait_ends_that_wait_only(gentl: Producer) -> None:
    gentl.must("EventKill", gentl.event)
    assert gentl.await_block(1000)[0] == ABORT
    assert gentl.await_block(1)[0] == TIMEOUT


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
    gentl: Producer, function: str, module: str | None, rest: tuple[object, ...], expected: int
) -> None:
    thread, results = in_background(lambda: gentl.await_block(2**64 - 1)[0])
    handle = () if module is None else (getattr(gentl, module),)
    gentl.must(function, *handle, *rest)
    thread.join(20)
    assert results == [expected] or (results == [HANDLE] and module is not None)


def test_an_unplugged_camera_is_not_listed_until_it_is_plugged_in(gentl: Producer) -> None:
    changed, count = ctypes.c_uint8(), ctypes.c_uint32()
    seen = []
    for away in (1, 0):
        gentl.must("station_sim_disconnect", 0, away)
        gentl.must("IFUpdateDeviceList", gentl.interface, ctypes.byref(changed), ctypes.c_uint64(0))
        gentl.must("IFGetNumDevices", gentl.interface, ctypes.byref(count))
        seen.append((changed.value, count.value, gentl.write(LOCKED, 0)))
    assert seen == [(1, 0, IO), (1, 1, 0)]


def test_the_in_process_faults_check_their_arguments(gentl: Producer) -> None:
    for wrong in [(1, 3, 1, 0, 0, 0), (0, 11, 1, 0, 0, 0), (0, -1, 1, 0, 0, 0), (0, 3, 0, 0, 0, 0), (0, 7, 1, 0, 0, 6)]:
        assert gentl.call("station_sim_set_fault", *wrong) == PARAMETER
    assert gentl.call("station_sim_disconnect", 1, 1) == PARAMETER
    gentl.must("station_sim_set_fault", 0, 3, 1, 0, 0, 0)
    streaming(gentl)
    code, buffer = gentl.await_block(2000)
    assert (code, gentl.number("DSGetBufferInfo", gentl.stream, buffer, 16)) == (0, 2)


def test_flushing_the_event_discards_what_was_delivered(gentl: Producer) -> None:
    streaming(gentl, buffers=2)
    assert gentl.await_block(2000)[0] == 0
    assert gentl.write(STOP, 1) == 0
    gentl.must("EventFlush", gentl.event)
    assert gentl.number("EventGetInfo", gentl.event, 1) == 0
    assert gentl.await_block(0)[0] == TIMEOUT


def test_closing_everything_while_lines_run_ends_the_acquisition(gentl: Producer) -> None:
    streaming(gentl)
    assert gentl.await_block(2000)[0] == 0
    gentl.must("TLClose", gentl.system)
    assert gentl.await_block(0)[0] == HANDLE
