"""Messages between a search's parent and its workers: JSON over TCP.

The kernel watches over the connections: it says at once that a process is gone, whatever it was
doing, and after half a minute that a node is. A training that hangs and never lets another thread
run is no dead worker; it is the business of max_trial_seconds.
"""

import contextlib
import json
import os
import select
import socket
import struct
from multiprocessing.connection import Connection
from typing import Any

IDLE_SECONDS, INTERVAL_SECONDS, PROBES = 10, 5, 4
"""A node that has said nothing for so long is probed so often, so many times."""

MOST_BYTES = 64 * 2**20

Message = dict[str, Any]


def watched(connection: socket.socket) -> Connection:
    """A connection of which the kernel says when the other side is gone."""
    for level, option, value in (
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, IDLE_SECONDS),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, INTERVAL_SECONDS),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES),
        (
            socket.IPPROTO_TCP,
            socket.TCP_USER_TIMEOUT,
            1000 * (IDLE_SECONDS + INTERVAL_SECONDS * PROBES),
        ),
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    ):
        connection.setsockopt(level, option, value)
    connection.settimeout(None)
    return Connection(connection.detach())


def accept(server: socket.socket) -> Connection:
    """The next connection; one who says half a word is waited for ten seconds."""
    connection, _ = server.accept()
    patience = struct.pack("ll", 10, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, patience)
    return watched(connection)


def patient(connection: Connection) -> Connection:
    """An accepted one that may be silent from now on."""
    with socket.socket(fileno=os.dup(connection.fileno())) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 0))
    return connection


def end(connection: Connection) -> None:
    """Have both sides hear that no more will be said, also where one is waiting to hear."""
    with socket.socket(fileno=os.dup(connection.fileno())) as same, contextlib.suppress(OSError):
        same.shutdown(socket.SHUT_RDWR)


def say(connection: Connection, message: Message) -> None:
    """Raises OSError where nobody is there."""
    connection.send_bytes(json.dumps(message).encode())


def hear(connection: Connection) -> Message:
    """Wait for a message. Raises EOFError or OSError where no other will come."""
    message = json.loads(connection.recv_bytes(MOST_BYTES))
    if not isinstance(message, dict):
        raise OSError("not a message")
    return message


def is_gone(connection: Connection) -> bool:
    """Whether the other side is, even if some of what it said has not been heard yet."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLRDHUP | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))
