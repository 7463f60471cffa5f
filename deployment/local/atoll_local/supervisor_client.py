"""Talks to the supervisor of a stack over its Unix socket."""

import xmlrpc.client
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport  # type: ignore[import-untyped]

STARTING, RUNNING, FATAL = "STARTING", "RUNNING", "FATAL"


@dataclass(frozen=True)
class ProcessState:
    """One supervised process. `since` is the Unix time of its last start, in seconds."""

    name: str
    state: str
    pid: int
    since: int


class SupervisorGone(Exception):
    """No supervisor answers on the socket."""


class SupervisorClient:
    """The few calls that the stack needs.

    Raises:
        SupervisorGone: from every call, when nobody answers.
    """

    def __init__(self, socket: Path) -> None:
        self.socket = socket

    def pid(self) -> int:
        """Process id of the supervisor."""
        return int(self._call("getPID"))

    def states(self) -> list[ProcessState]:
        """Every process, in order of start."""
        return [
            ProcessState(
                name=info["name"],
                state=info["statename"],
                pid=info["pid"],
                since=info["start"],
            )
            for info in self._call("getAllProcessInfo")
        ]

    def start(self, name: str) -> None:
        """Start a process that was given up, without waiting for it."""
        self._call("startProcess", name, False)

    def shut_down(self) -> None:
        """Stop every process and then the supervisor itself; returns at once."""
        self._call("shutdown")

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self.socket}")
        # The address is a formality: the transport connects to the socket.
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        try:
            return getattr(proxy.supervisor, method)(*arguments)
        except (OSError, HTTPException, xmlrpc.client.ProtocolError):
            raise SupervisorGone from None
        except xmlrpc.client.Fault as fault:
            # SHUTDOWN_STATE: it is about to go.
            if fault.faultCode == 6:
                raise SupervisorGone from None
            raise
        finally:
            transport.close()
