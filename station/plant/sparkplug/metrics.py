"""The values of the cell as metrics of the node.

Counts are UInt64, numbers of tables Int32; nothing is negative. Why not UInt32 is told in `payload`.
"""

from collections.abc import Iterable

from station.core.records import JsonObject
from station.plant.cell_values import HEARD, RESULT, Kind, Row, Sections, ended_ms, result_of
from station.plant.sparkplug.payload import DataType, Metric

TYPES = {
    Kind.NUMBER: DataType.INT32, Kind.COUNT: DataType.UINT64, Kind.REAL: DataType.DOUBLE, Kind.FLAG: DataType.BOOLEAN,
    Kind.TEXT: DataType.STRING, Kind.DATE: DataType.DATETIME,
}  # fmt: skip


def metrics_of(rows: Iterable[Row], told: Sections, at_ms: int) -> tuple[Metric, ...]:
    """The value of every metric.

    Args:
        rows: The values.
        told: All sections, or nothing while the station is not heard.
        at_ms: When it is so.
    """
    heard = Metric(HEARD, DataType.BOOLEAN, bool(told), at_ms)
    return (heard, *(Metric(row.name, TYPES[row.kind], row.of(told) if told else None, at_ms) for row in rows))


def result_metrics(record: JsonObject | None, *, before_ms: int | None = None) -> tuple[Metric, ...]:
    """The metrics of a part that ended, which stand together in one message.

    Args:
        record: Its flat columns, or None: no part has ended yet, and every metric is null.
        before_ms: What ended before this moment is told of late; None where nothing is.
    """
    at_ms = ended_ms(record) if record else None
    late = at_ms is not None and before_ms is not None and at_ms < before_ms
    values = result_of(record) if record else {}
    return tuple(
        Metric(f"Result/{name}", TYPES[kind], values.get(name), at_ms, historical=late)
        for name, (kind, _column) in RESULT.items()
    )
