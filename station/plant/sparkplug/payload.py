"""Sparkplug B's payload as bytes: the part of its protobuf message that an edge node without templates needs.

    Payload  1 timestamp · 2 metrics … · 3 seq
    Metric   1 name · 2 alias · 3 timestamp · 4 datatype · 5 is_historical · 7 is_null
             10 int · 11 long · 12 float · 13 double · 14 boolean · 15 string

A UInt32 is written as `long` by some and as `int` by others, and each reads null from the other, so that the station
publishes none; it publishes no negative Int64 either. What others send may have every scalar type.

Source: Eclipse Sparkplug 3.0.0, section 6.4; Protocol Buffers, "Encoding". Issues 102 of Sparkplug and 131 of Tahu tell
of UInt32.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from station.plant.cell_values import Value

MOST_BYTES = 1 << 20
"""Of a payload that is read."""

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
"""Wire types of protobuf."""
SIGN_64 = 1 << 63
MASK_64 = (1 << 64) - 1


class DataType(IntEnum):
    """The scalar types."""

    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14


PUBLISHED = frozenset(
    {DataType.INT32, DataType.INT64, DataType.UINT64, DataType.DOUBLE, DataType.BOOLEAN, DataType.STRING,
     DataType.DATETIME}
)  # fmt: skip
"""What the station itself writes."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One value of the node.

    Attributes:
        name: With slashes between its levels.
        datatype: What the value is.
        value: None: it is not known.
        at_ms: Since when, in milliseconds since 1970 UTC; None: as the payload.
        historical: Whether it was so once, and is told of late.
    """

    name: str
    datatype: DataType
    value: Value | None
    at_ms: int | None = None
    historical: bool = False


@dataclass(frozen=True, slots=True)
class Payload:
    """One message.

    Attributes:
        at_ms: When it is sent, in milliseconds since 1970 UTC; None: not told.
        metrics: The values.
        seq: 0 to 255; None: the message has none.
    """

    at_ms: int | None
    metrics: tuple[Metric, ...]
    seq: int | None = None


class BadPayloadError(ValueError):
    """Bytes that are no payload, or one with what this program does not know; says what."""


# ---------------------------------------------------------------------- to bytes


def encode(payload: Payload) -> bytes:
    """The payload as bytes.

    Raises:
        ValueError: A metric has a type or a value that the station does not publish.
    """
    parts = [_number(1, payload.at_ms)]
    parts += [_bytes(2, _metric(metric)) for metric in payload.metrics]
    parts.append(_number(3, payload.seq))
    return b"".join(parts)


def _metric(metric: Metric) -> bytes:
    if metric.datatype not in PUBLISHED:
        raise ValueError(f"{metric.name}: {metric.datatype.name} is not published")
    head = [
        _bytes(1, metric.name.encode()), _number(3, metric.at_ms), _number(4, int(metric.datatype)),
        _number(5, 1 if metric.historical else None),
    ]  # fmt: skip
    value = _number(7, 1) if metric.value is None else _value(metric.name, metric.datatype, metric.value)
    return b"".join([*head, value])


def _value(name: str, datatype: DataType, value: Value) -> bytes:
    match datatype:
        case DataType.BOOLEAN:
            return _number(14, int(bool(value)))
        case DataType.STRING:
            return _bytes(15, str(value).encode())
        case DataType.DOUBLE:
            return _key(13, FIXED64) + struct.pack("<d", value)
        case DataType.INT32 if -(1 << 31) <= int(value) < 1 << 31:
            return _number(10, int(value) & 0xFFFFFFFF)
        case DataType.INT64 | DataType.UINT64 | DataType.DATETIME if 0 <= int(value) < SIGN_64:
            return _number(11, int(value))
    raise ValueError(f"{name}: {value} does not fit into {datatype.name}")


def _key(field: int, wire: int) -> bytes:
    return _varint(field << 3 | wire)


def _number(field: int, value: int | None) -> bytes:
    return b"" if value is None else _key(field, VARINT) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _key(field, LENGTH) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


# ---------------------------------------------------------------------- from bytes


def decode(data: bytes) -> Payload:
    """What these bytes say; fields that are not known are passed over, as protobuf wants it.

    Raises:
        BadPayloadError: They are no payload.
    """
    if len(data) > MOST_BYTES:
        raise BadPayloadError(f"{len(data)} bytes are more than {MOST_BYTES}")
    at_ms, seq, metrics = None, None, []
    for field, found in _fields(data):
        match field, found:
            case 1, int():
                at_ms = found
            case 2, bytes():
                metrics.append(_read_metric(found))
            case 3, int():
                seq = found
    return Payload(at_ms, tuple(metrics), seq)


def _read_metric(data: bytes) -> Metric:
    fields = dict(_fields(data))
    if 2 in fields and 1 not in fields:
        raise BadPayloadError("a metric is named by an alias, and the station gives none")
    name, datatype = fields.get(1), fields.get(4)
    if not isinstance(name, bytes) or not isinstance(datatype, int):
        raise BadPayloadError("a metric has no name or no type")
    at_ms = fields.get(3)
    null = fields.get(7) == 1
    try:
        kind = DataType(datatype)
        value = None if null else _read_value(kind, fields)
        return Metric(name.decode(), kind, value, at_ms if isinstance(at_ms, int) else None, fields.get(5) == 1)
    except ValueError as error:
        raise BadPayloadError(f"metric {name!r}: {error}") from error


def _read_value(kind: DataType, fields: dict[int, int | bytes]) -> Value:
    """The value.

    Raises:
        ValueError: There is none of this type.
    """
    for field, read in READ[kind]:
        if field in fields:
            return read(fields[field])
    raise ValueError(f"no value of type {kind.name}")


Read = Callable[[int | bytes], Value]


def _signed(bits: int) -> Read:
    def read(found: int | bytes) -> Value:
        value = _int(found) & ((1 << bits) - 1)
        return value - (1 << bits) if value >> (bits - 1) else value

    return read


def _int(found: int | bytes) -> int:
    if isinstance(found, bytes):
        raise ValueError("bytes where a number belongs")  # noqa: TRY004  # of what was sent, not of the program
    return found


def _flag(found: int | bytes) -> bool:
    return bool(_int(found))


def _float(form: str) -> Read:
    def read(found: int | bytes) -> Value:
        value: float = struct.unpack(form, found if isinstance(found, bytes) else b"")[0]
        return value

    return read


def _text(found: int | bytes) -> str:
    if not isinstance(found, bytes):
        raise ValueError("a number where text belongs")  # noqa: TRY004  # of what was sent, not of the program
    return found.decode()


_WHOLE = ((10, _int), (11, _int))
READ: dict[DataType, tuple[tuple[int, Read], ...]] = {
    DataType.INT8: ((10, _signed(8)),),
    DataType.INT16: ((10, _signed(16)),),
    DataType.INT32: ((10, _signed(32)),),
    DataType.INT64: ((11, _signed(64)),),
    DataType.UINT8: _WHOLE,
    DataType.UINT16: _WHOLE,
    DataType.UINT32: _WHOLE,
    DataType.UINT64: ((11, _int),),
    DataType.DATETIME: ((11, _int),),
    DataType.FLOAT: ((12, _float("<f")),),
    DataType.DOUBLE: ((13, _float("<d")),),
    DataType.BOOLEAN: ((14, _flag),),
    DataType.STRING: ((15, _text),),
    DataType.TEXT: ((15, _text),),
}
"""In which fields the value of a type may stand, and how it is read."""


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Every field: a number, or the bytes of a text, a message or a float.

    Raises:
        BadPayloadError: The bytes end too soon, or are no protobuf.
    """
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        field, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = _read_varint(data, at)
            yield field, value
            continue
        if wire == LENGTH:
            length, at = _read_varint(data, at)
        elif wire in (FIXED64, FIXED32):
            length = 8 if wire == FIXED64 else 4
        else:
            raise BadPayloadError(f"wire type {wire} at byte {at}")
        if at + length > len(data):
            raise BadPayloadError(f"the payload ends within field {field}")
        yield field, data[at : at + length]
        at += length


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise BadPayloadError("the payload ends within a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & MASK_64, at
    raise BadPayloadError(f"a number of more than 64 bits before byte {at}")
