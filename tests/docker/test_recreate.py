"""The gateway finds services that are created anew, at whatever address, without a reload."""

import os

import httpx
import pytest

from .deployment import Clone, wait_until

TIMES = int(os.environ.get("ATOLL_TEST_RECREATIONS", "3"))
WITHIN_SECONDS = 15.0
DOORS = {"chat-backend": "/api/health", "inference": "/v2/health/ready"}


@pytest.mark.parametrize("service", DOORS)
def test_the_gateway_follows(clone: Clone, service: str) -> None:
    gateway = clone.inspect("gateway")
    addresses, waits = {clone.address(service)}, []
    with httpx.Client(base_url=clone.url, timeout=5) as client:

        def answers() -> bool:
            try:
                return client.get(DOORS[service]).status_code == 200
            except httpx.HTTPError:
                return False

        for _ in range(TIMES):
            old = clone.container(service)
            clone.compose("up", "--detach", "--no-deps", "--force-recreate", service)
            assert clone.container(service) != old
            waits.append(wait_until(f"{service} through the gateway", answers, WITHIN_SECONDS))
            addresses.add(clone.address(service))
    print(f"{service}: {TIMES} times, {max(waits):.1f} s at most, {len(addresses)} addresses")
    after = clone.inspect("gateway")
    assert (after["Id"], after["State"]["Pid"]) == (gateway["Id"], gateway["State"]["Pid"])
    assert "reconfiguring" not in clone.compose("logs", "gateway")
    if TIMES > 2:
        assert len(addresses) > 1, "the address never changed, so nothing was shown"
