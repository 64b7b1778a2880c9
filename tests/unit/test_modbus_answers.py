"""What comes in between a request and its answer, byte by byte: what the client may see, and what the detail tells."""

import pytest

from drivers.modbus.answers import RtuAnswers, TcpAnswers
from tests.wire.modbus_peer import crc

READ = bytes.fromhex("01 04 00 14 00 02")
WRITE = bytes.fromhex("01 10 00 00 00 03 06 00 01 02 58 00 07")
READ_ANSWER = bytes.fromhex("01 04 04 00 0B 00 16")
WRITE_ANSWER = bytes.fromhex("01 10 00 00 00 03")
ADVICE = ": check baud_rate, parity and stop_bits, and the wiring"
EXCEPTION = bytes.fromhex("01 84 06")


def rtu(data: bytes) -> bytes:
    return data + crc(data)


def asked(request: bytes, *, local_echo: bool = False) -> RtuAnswers:
    answers = RtuAnswers(local_echo=local_echo)
    answers.sent(rtu(request))
    return answers


PAIRS = [(READ, READ_ANSWER), (READ, EXCEPTION), (WRITE, WRITE_ANSWER)]


@pytest.mark.parametrize(("request_", "answer"), PAIRS)
@pytest.mark.parametrize("before", [b"", b"\0", b"\0\0\xff", b"\x01", b"\x01\x04", b"\x15\x93" * 40])
def test_an_answer_is_found_behind_stray_bytes_however_it_is_cut(request_: bytes, answer: bytes, before: bytes) -> None:
    answers, came = asked(request_), before + rtu(answer)
    for size in range(1, len(came)):
        assert answers.received(came[:size]) == b""
    assert answers.received(came) == rtu(answer)


@pytest.mark.parametrize(("request_", "answer"), PAIRS)
@pytest.mark.parametrize("local_echo", [True, False])
def test_an_echo_is_dropped_however_it_is_cut(request_: bytes, answer: bytes, *, local_echo: bool) -> None:
    answers, came = asked(request_, local_echo=local_echo), rtu(request_) + rtu(answer)
    for size in range(1, len(came)):
        assert answers.received(came[:size]) == b""
    assert answers.received(came) == rtu(answer)


def test_an_adapter_that_does_not_echo_may_be_called_one() -> None:
    assert asked(WRITE, local_echo=True).received(rtu(WRITE_ANSWER)) == rtu(WRITE_ANSWER)


def test_an_answer_behind_one_of_another_unit_is_found() -> None:
    other = rtu(b"\x03" + READ_ANSWER[1:])
    assert asked(READ).received(other + rtu(READ_ANSWER)) == rtu(READ_ANSWER)


@pytest.mark.parametrize("inner", [READ_ANSWER, EXCEPTION])
def test_what_looks_like_an_answer_inside_another_frame_is_none(inner: bytes) -> None:
    outer = bytes.fromhex("01 04 1E") + rtu(inner).ljust(30, b"\0")
    answers = asked(READ[:4] + b"\0\x0f")
    assert answers.received(rtu(outer)) == rtu(outer)


def test_an_answer_with_a_wrong_checksum_is_not_shown() -> None:
    assert asked(READ).received(READ_ANSWER + b"\0\0") == b""


def test_before_the_first_request_nothing_is_an_answer() -> None:
    assert RtuAnswers(local_echo=False).received(rtu(READ_ANSWER)) == b""


@pytest.mark.parametrize(
    ("came", "told"),
    [
        (b"", ""),
        (rtu(READ), "what was sent came back, and nothing else: an adapter that echoes needs local_echo"),
        (rtu(b"\x03" + READ_ANSWER[1:]), "an answer of unit 3 instead of 1"),
        (b"\xf8", "1 byte that is no whole answer (f8)" + ADVICE),
        (
            b"\x15\x93" * 5,
            "10 bytes that are no whole answer (15 93 15 93 15 93 15 93 …)" + ADVICE,
        ),
    ],
)
def test_what_came_on_a_serial_line_in_place_of_an_answer_is_told(came: bytes, told: str) -> None:
    answers = asked(READ)
    if came:
        assert answers.received(came) == b""
    assert answers.trace() == told


def test_what_came_before_a_request_is_not_told_of_it() -> None:
    answers = asked(READ)
    answers.received(b"\x15\x93")
    answers.sent(rtu(READ))
    assert answers.trace() == ""


# ---------------------------------------------------------------------- TCP


def tcp(number: int, unit: int, protocol: int = 0) -> bytes:
    body = bytes((unit,)) + READ_ANSWER[1:]
    return b"".join(word.to_bytes(2, "big") for word in (number, protocol, len(body))) + body


@pytest.mark.parametrize(
    ("came", "told"),
    [
        (b"", ""),
        (tcp(5, 1), ""),
        (tcp(5, 0), "an answer of unit 0 instead of 1"),
        (tcp(4, 1), "an answer to transaction 4 instead of 5"),
        (tcp(4, 1) + tcp(3, 0) * 2, "an answer to transaction 4 instead of 5, an answer of unit 0 instead of 1"),
        (tcp(5, 1)[:9], "9 bytes that are no whole answer (00 05 00 00 00 07 01 04 …)"),
        (tcp(5, 1, protocol=7), "13 bytes that are no whole answer (00 05 00 07 00 07 01 04 …)"),
        (b"HTTP/1.1 400 Bad Request", "24 bytes that are no whole answer (48 54 54 50 2f 31 2e 31 …)"),
    ],
)
def test_what_came_over_tcp_in_place_of_an_answer_is_told(came: bytes, told: str) -> None:
    answers = TcpAnswers()
    answers.sent(bytes.fromhex("00 05 00 00 00 06") + READ)
    assert answers.received(came) == came
    assert answers.trace() == told
