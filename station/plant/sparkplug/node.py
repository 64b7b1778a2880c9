"""The edge node as Sparkplug sees it: topics, and the messages of one connection from its birth to its death.

    connect, with NDEATH as the will ──▶ NBIRTH seq 0 ──▶ NDATA seq 1, 2, … 255, 0, … ──▶ NDEATH
                                            ▲                  │
                                            └──── rebirth ─────┘     the same bdSeq, every metric anew

Only what has changed is published. Nothing here waits, reads a clock or writes.

Source: Eclipse Sparkplug 3.0.0, sections 4 to 6.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from station.plant.cell_values import Value
from station.plant.sparkplug.payload import DataType, Metric, Payload, encode

NAMESPACE = "spBv1.0"
BD_SEQ = "bdSeq"
REBIRTH = "Node Control/Rebirth"
SEQUENCE = 256


@dataclass(frozen=True, slots=True)
class Topics:
    """Where one node publishes, and hears.

    Attributes:
        group: Sparkplug's group id.
        node: The edge node id.
    """

    group: str
    node: str

    def of(self, verb: str) -> str:
        """The topic of a kind of message: NBIRTH, NDATA, NDEATH, NCMD."""
        return f"{NAMESPACE}/{self.group}/{verb}/{self.node}"


def host_topic(host: str) -> str:
    """Where a host application says whether it is online."""
    return f"{NAMESPACE}/STATE/{host}"


def death(bd_seq: int, at_ms: int) -> bytes:
    """NDEATH: the same number as in the birth of the connection that it ends."""
    return encode(Payload(at_ms, (_bd_seq(bd_seq, at_ms),)))


class EdgeNode:
    """The messages of one connection, in order; used by one task.

    Args:
        bd_seq: The connection's number, 0 to 255.
    """

    def __init__(self, bd_seq: int) -> None:
        self._bd_seq = bd_seq
        self._seq = 0
        self._told: dict[str, Value | None] = {}

    def birth(self, metrics: Iterable[Metric], at_ms: int) -> bytes:
        """NBIRTH: every metric there is, and the sequence begins anew."""
        own = (_bd_seq(self._bd_seq, at_ms), Metric(REBIRTH, DataType.BOOLEAN, value=False, at_ms=at_ms))
        every = (*own, *metrics)
        self._told = {metric.name: metric.value for metric in every}
        self._seq = 0
        return encode(Payload(at_ms, every, self._seq))

    def data(self, metrics: Iterable[Metric], at_ms: int) -> bytes | None:
        """NDATA of those metrics that are others than told last, or None where nothing is."""
        changed = tuple(metric for metric in metrics if metric.value != self._told[metric.name])
        return self.whole(changed, at_ms) if changed else None

    def whole(self, metrics: Iterable[Metric], at_ms: int) -> bytes:
        """NDATA of all these metrics, whether they have changed or not: what belongs together, or is told of late.

        Raises:
            KeyError: A metric was not in the birth.
        """
        every = tuple(metrics)
        for metric in every:
            if metric.name not in self._told:
                raise KeyError(metric.name)
            if not metric.historical:
                self._told[metric.name] = metric.value
        self._seq = (self._seq + 1) % SEQUENCE
        return encode(Payload(at_ms, every, self._seq))


def _bd_seq(number: int, at_ms: int) -> Metric:
    return Metric(BD_SEQ, DataType.INT64, number, at_ms)
