"""A port that is taken is noticed before anything starts."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from atoll_local.environment import read_environment
from atoll_local.ports import check_ports
from atoll_local.problem import Problem


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which this process listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    "name", ["HTTP_PORT", "CHAT_BACKEND_PORT", "INFERENCE_PORT", "FRONTEND_PORT"]
)
def test_who_holds_it_and_what_to_do(tmp_path: Path, taken: int, name: str) -> None:
    names = ("HTTP_PORT", "CHAT_BACKEND_PORT", "INFERENCE_PORT", "FRONTEND_PORT")
    ports = {other: str(free_port()) for other in names} | {name: str(taken)}
    with pytest.raises(Problem) as problem:
        check_ports(read_environment(tmp_path, ports))
    message = str(problem.value)
    assert message.startswith(f"{name}={taken} is in use by process {os.getpid()}")
    assert f"{name}={taken + 1}" in message
    assert len(message.splitlines()) == 1


def test_free_ports_are_fine(tmp_path: Path) -> None:
    names = ("HTTP_PORT", "CHAT_BACKEND_PORT", "INFERENCE_PORT", "FRONTEND_PORT")
    check_ports(read_environment(tmp_path, {name: str(free_port()) for name in names}))


def test_an_address_that_is_not_here(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"HTTP_PORT=\d+: cannot listen on 192\.0\.2\.1"):
        check_ports(
            read_environment(
                tmp_path,
                {
                    "HTTP_BIND": "192.0.2.1",
                    "HTTP_PORT": str(free_port()),
                    "CHAT_BACKEND_PORT": str(free_port()),
                    "INFERENCE_PORT": str(free_port()),
                    "FRONTEND_PORT": str(free_port()),
                },
            )
        )
