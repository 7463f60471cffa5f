"""Ports must be free before anything starts."""

import errno
import socket

import psutil

from atoll_local.environment import Environment
from atoll_local.problem import Problem


def check_ports(environment: Environment) -> None:
    """Try every port of the stack.

    Raises:
        Problem: one line for each port that cannot be used, with who holds it and what to do.
    """
    troubles = []
    for name, port in environment.ports.items():
        address = environment.bind if name == "HTTP_PORT" else "127.0.0.1"
        trouble = _trouble(name, address, port)
        if trouble:
            troubles.append(trouble)
    if troubles:
        raise Problem("\n".join(troubles))


def _trouble(name: str, address: str, port: int) -> str | None:
    host = address.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As the servers do: connections that are only just closed are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except PermissionError:
            return f"{name}={port}: ports below 1024 need root. Choose another: {name}=8080"
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return (
                    f"{name}={port} is in use by {_holder(port)}. "
                    f"Stop that, or choose another port: {name}={port + 1}"
                )
            return f"{name}={port}: cannot listen on {address} ({error.strerror})."
    return None


def _holder(port: int) -> str:
    """The process that listens on `port`, as far as this account may know."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return "another program"
    for connection in connections:
        if connection.status != psutil.CONN_LISTEN or not connection.laddr:
            continue
        if connection.laddr.port != port or connection.pid is None:
            continue
        try:
            words = psutil.Process(connection.pid).cmdline()
        except psutil.Error:
            words = []
        return f"process {connection.pid} ({' '.join(words)[:80] or 'unknown program'})"
    return "a program of another account"
