"""A TCP port for a server of another process, which cannot take port 0 and say what it got."""

import random
import socket

BELOW_CONNECTIONS = range(20_000, 32_000)
"""Linux gives a connection none of these, so no other test's connection takes the port before its server does."""


def free_port() -> int:
    """A port at which nobody listens."""
    for port in random.SystemRandom().sample(BELOW_CONNECTIONS, 50):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
