#!/usr/bin/env bash
# Found: bytes that have come over a serial line (here a pseudo-terminal) do not reach the program that waits for them
#   while threads of real-time priority compute on every core, however much higher the priority of the waiting thread
#   is. Over a socket the same byte wakes it at once. The kernel carries a terminal's bytes from its driver to the reader
#   in a work queue, whose ordinary threads wait for the real-time ones.
# Version: Linux 6.18 with pyserial 3.5, two cores; every driver of a serial port goes through the same queue.
# Why it matters here: the network computes with real-time priority. On a computer with no more cores than it has
#   threads, the jig's answer over RS-485 is seen only when the scores are there, though it came milliseconds before, and
#   the decision waits for what is left to do with it. A jig that is reached over TCP, or one core more than the network
#   has threads, takes that off.
# Guess before it was run: a thread of higher real-time priority has its bytes at once, from wherever they come.
# Source: run; drivers/tty/tty_buffer.c (tty_flip_buffer_push); sched(7).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyserial==3.5
cat > wait.py <<'PY'
import os
import pty
import socket
import sys
import threading
import time
import tty

import serial

BUSY_S = 0.3


def compute(until_s: float) -> None:
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    while time.monotonic() < until_s:
        pass
    os._exit(0)


def waited_ms(send, receive) -> float:
    """From a byte's sending to its receiving by a thread that goes before those which compute on every core."""
    seen = []
    ready = threading.Event()

    def reader() -> None:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(2))
        ready.set()
        receive()
        seen.append(time.monotonic())

    thread = threading.Thread(target=reader)
    thread.start()
    ready.wait()
    time.sleep(0.05)
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
    sent = time.monotonic()
    send()
    thread.join()
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    for child in children:
        os.waitpid(child, 0)
    return 1e3 * (seen[0] - sent)


try:
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(2))
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
except PermissionError:
    print("not tried: this needs the right to real-time priority (root, or ulimit -r 2)")
    sys.exit(0)
ours, theirs = socket.socketpair()
over_socket = waited_ms(lambda: ours.send(b"x"), lambda: theirs.recv(1))
device, terminal = pty.openpty()
tty.setraw(device)
with serial.Serial(os.ttyname(terminal), 115200) as port:
    over_serial = waited_ms(lambda: os.write(device, b"x"), lambda: port.read(1))
print(f"one byte over a socket after {over_socket:.1f} ms, over a serial line after {over_serial:.1f} ms")
as_found = over_socket < 30 and over_serial > 60
print("as found" if as_found else "changed")
sys.exit(not as_found)
PY
venv/bin/python wait.py
