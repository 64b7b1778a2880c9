"""What is written of orders, in SQL.

Every function works inside the caller's transaction and leaves it to it to commit.

Raises:
    BugError: From every function that changes an order: it is unknown, or has ended.
"""

import sqlite3
from datetime import datetime, timedelta

from station.core.errors import BugError
from station.core.moments import stamp
from station.core.part import Device, Inspection, Order, Receipt
from station.records.store import number_of

LAST_ORDER_NUMBER = 0xFFFF

ORDER = """INSERT INTO orders (device, number, verb, argument, inspection, issued_at, issued_ns)
    VALUES (:device, :number, :verb, :argument, :inspection, :at, :ns)"""
RECEIPT = """UPDATE orders SET acknowledged_at = :acknowledged_at, acknowledged_ns = :acknowledged_ns,
    done_at = :done_at, done_ns = :done_ns, confirmed = :confirmed, confirmed_place = :place,
    result = 'done' WHERE result IS NULL
    AND order_id = (SELECT max(order_id) FROM orders WHERE device = :device AND number = :number)"""


def give_order(
    connection: sqlite3.Connection,
    device: Device,
    verb: str,
    argument: int,
    inspection: Inspection | None,
    at: datetime,
    ns: int,
) -> Order:
    """Take the device's next order number and write the intent."""
    number = _last_number(connection, device) % LAST_ORDER_NUMBER + 1
    _set_last_number(connection, device, number)
    row = {
        "device": device,
        "number": number,
        "verb": verb,
        "argument": argument,
        "inspection": inspection and number_of(connection, inspection),
        "at": stamp(at),
        "ns": ns,
    }
    connection.execute(ORDER, row)
    return Order(device, number, verb, argument)


def adopt_order_number(connection: sqlite3.Connection, device: Device, last: int) -> None:
    """Go on after the device's last number, unless the own last one lies ahead of it, less than half way round."""
    own = _last_number(connection, device)
    ahead = (own - last) % LAST_ORDER_NUMBER
    if last and (own == 0 or ahead > LAST_ORDER_NUMBER // 2):
        _set_last_number(connection, device, last)


def end_order(connection: sqlite3.Connection, receipt: Receipt, place: str | None, at: datetime, ns: int) -> None:
    """Write how an order ended; `at` and `ns` are the same moment on both clocks.

    `place` is the name of the place that was confirmed, None where the order has none or no place has that code.
    """
    order = receipt.order
    row = {
        "device": order.device,
        "number": order.number,
        "confirmed": receipt.confirmed,
        "place": place,
        "acknowledged_ns": receipt.acknowledged_ns,
        "acknowledged_at": _at(receipt.acknowledged_ns, at, ns),
        "done_ns": receipt.done_ns,
        "done_at": _at(receipt.done_ns, at, ns),
    }
    if connection.execute(RECEIPT, row).rowcount != 1:
        raise BugError("station.bug", f"receipt of {order.device} order {order.number}, which is not waiting for one")


def _at(event_ns: int, now: datetime, now_ns: int) -> str:
    return stamp(now - timedelta(microseconds=(now_ns - event_ns) / 1000))


def _last_number(connection: sqlite3.Connection, device: Device) -> int:
    return int(connection.execute("SELECT last FROM order_numbers WHERE device = ?", (device,)).fetchone()[0])


def _set_last_number(connection: sqlite3.Connection, device: Device, number: int) -> None:
    connection.execute("UPDATE order_numbers SET last = ? WHERE device = ?", (number, device))
