#!/usr/bin/env bash
# Found: to ask a terminal whether something has come, with a time-out of zero, can take as long as other threads compute
#   in real time on every core, however much higher the priority of the thread that asks. Where nothing is there yet, the
#   kernel does not answer no: it waits until its worker, an ordinary thread, has carried what is on the way. An event
#   loop, which asks each descriptor anew after each event, stands meanwhile, and all that it serves with it. A socket
#   answers at once.
# Version: Linux 6.18 with Python's select and pyserial 3.5, two cores; every terminal and serial port polls so.
# Why it matters here: the network computes in real time, and station and simulated jig have a serial port in their event
#   loop. The simulated jig took an order and then stood in its loop until the scores were there, 6 ms, and its answer
#   came that much later. Both listen to edges now, which asks nothing in between (`drivers/modbus/serial_transport.py`,
#   `sim/modbus/rtu_line.py`).
# Guess before it was run: a poll that does not wait takes some microseconds, whatever else the computer does.
# Source: run; drivers/tty/n_tty.c (n_tty_poll calls tty_buffer_flush_work where nothing is there); poll(2).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyserial==3.5
cat > ask.py <<'PY'
import os
import pty
import select
import socket
import sys
import time
import tty

import serial

BUSY_S = 0.3


def compute(until_s: float) -> None:
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    while time.monotonic() < until_s:
        pass
    os._exit(0)


def asked_ms(send, descriptor: int) -> float:
    """How long a question without a time-out takes just after something was sent, every core computing."""
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(2))
    until_s = time.monotonic() + BUSY_S
    children = []
    for _ in range(os.cpu_count() or 1):
        child = os.fork()
        if not child:
            compute(until_s)
        children.append(child)
    while until_s - time.monotonic() > BUSY_S / 2:  # they all compute by now
        time.sleep(0.01)
    send()
    asked = time.monotonic()
    select.select([descriptor], [], [], 0)
    took_ms = 1e3 * (time.monotonic() - asked)
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    for child in children:
        os.waitpid(child, 0)
    return took_ms


try:
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(2))
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
except PermissionError:
    print("not tried: this needs the right to real-time priority (root, or ulimit -r 2)")
    sys.exit(0)
ours, theirs = socket.socketpair()
of_socket = asked_ms(lambda: ours.send(b"x"), theirs.fileno())
device, terminal = pty.openpty()
tty.setraw(device)
with serial.Serial(os.ttyname(terminal), 115200, timeout=0) as port:
    of_serial = asked_ms(lambda: os.write(device, b"x"), port.fileno())
print(f"select with a time-out of zero: a socket {of_socket:.2f} ms, a serial line {of_serial:.1f} ms")
as_found = of_socket < 10 and of_serial > 60
print("as found" if as_found else "changed")
sys.exit(not as_found)
PY
venv/bin/python ask.py
