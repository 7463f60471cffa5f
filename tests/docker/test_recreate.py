"""The gateway finds services that are created anew, at another address, without a reload."""

import os

import httpx
import pytest

from .deployment import Clone, wait_until
from .images import run

TIMES = int(os.environ.get("ATOLL_TEST_RECREATIONS", "3"))
WITHIN_SECONDS = 15.0
DOORS = {"chat-backend": "/api/health", "inference": "/v2/health/ready"}


class Seat:
    """A container that takes the address which the service has just left, every other time."""

    def __init__(self, clone: Clone) -> None:
        self.name = f"{clone.project}-seat"
        self.taken = False
        release = clone.settings["ATOLL_RELEASE"]
        self.command = (
            *("docker", "run", "--rm", "--detach", "--name", self.name),
            *("--network", f"{clone.project}_services", "--entrypoint", "sleep"),
            *(f"atoll/gateway:{release}", "infinity"),
        )

    def change(self) -> None:
        """Take the free address, or give it back."""
        if self.taken:
            self.leave()
        else:
            run(*self.command)
            self.taken = True

    def leave(self) -> None:
        """Give the address back."""
        run("docker", "rm", "--force", self.name, check=False)
        self.taken = False


@pytest.mark.parametrize("service", DOORS)
def test_the_gateway_follows(clone: Clone, service: str) -> None:
    gateway = clone.inspect("gateway")
    address, waits, moves = clone.address(service), [], 0
    seat = Seat(clone)
    with httpx.Client(base_url=clone.url, timeout=5) as client:

        def answers() -> bool:
            try:
                return client.get(DOORS[service]).status_code == 200
            except httpx.HTTPError:
                return False

        try:
            for _ in range(TIMES):
                clone.compose("rm", "--stop", "--force", service)
                seat.change()
                clone.compose("up", "--detach", "--no-deps", service)
                waits.append(wait_until(f"{service} through the gateway", answers, WITHIN_SECONDS))
                moves += clone.address(service) != address
                address = clone.address(service)
        finally:
            seat.leave()
    print(f"{service}: {TIMES} times, {moves} moves, {max(waits):.1f} s at most")
    assert moves >= (TIMES + 1) // 2, "the address hardly changed, so little was shown"
    after = clone.inspect("gateway")
    assert (after["Id"], after["State"]["Pid"]) == (gateway["Id"], gateway["State"]["Pid"])
    assert "reconfiguring" not in clone.compose("logs", "gateway")
