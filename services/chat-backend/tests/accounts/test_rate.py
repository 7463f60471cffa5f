"""How often a user may call the models."""

from typing import Any

import pytest

from atoll_chat.accounts.rate import FORGET_ABOVE, RateLimiter
from atoll_kit.errors import TooManyRequests


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_any_minute_holds_the_limit() -> None:
    clock = Clock()
    limiter = RateLimiter(3, clock)
    for at in (0.0, 10.0, 50.0):
        clock.at = at
        limiter.count("ada")
    with pytest.raises(TooManyRequests) as refused:
        limiter.count("ada")
    assert refused.value.headers["Retry-After"] == "10"
    # Refusals do not count, and nobody else is concerned.
    limiter.count("bob")
    clock.at = 60.0
    limiter.count("ada")
    with pytest.raises(TooManyRequests) as refused:
        limiter.count("ada")
    assert refused.value.headers["Retry-After"] == "10"


def test_zero_is_no_limit() -> None:
    limiter = RateLimiter(0)
    for _ in range(1000):
        limiter.count("ada")


def test_users_who_are_gone_are_forgotten() -> None:
    clock = Clock()
    limiter = RateLimiter(3, clock)
    for number in range(FORGET_ABOVE + 1):
        limiter.count(f"user{number}")
    clock.at = 61.0
    limiter.count("ada")
    assert len(limiter._seen) == 1


async def test_every_door_to_the_models_counts(start: Any) -> None:
    atoll = await start(requests_per_minute=3)
    ada, bob = await atoll.user("ada"), await atoll.user("bob")
    program = await ada.key_client()
    asked = {
        "X-Internal-Token": atoll.settings.internal_token,
        "X-Original-Method": "POST",
        "X-Original-URI": "/v1/embeddings",
    }
    assert (await program.get("/v1/models")).status_code != 429
    assert (await ada.client.get("/v1/models")).status_code != 429
    assert (await program.get("/internal/authorize", headers=asked)).status_code == 204
    # The gateway can only be told 401 or 403; the rest is in the headers.
    refused = await program.get("/internal/authorize", headers=asked)
    assert refused.status_code == 403
    assert refused.headers["X-Auth-Status"] == "429"
    assert refused.headers["X-Auth-Code"] == "rate_limited"
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    refused = await program.post("/v1/chat/completions", json={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limited")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    # Reading what was said before, and other people, go on.
    assert (await program.get("/api/conversations")).status_code == 200
    assert (await bob.client.get("/v1/models")).status_code != 429


async def test_requests_that_are_refused_for_other_reasons_do_not_count(start: Any) -> None:
    atoll = await start(requests_per_minute=1)
    ada = await atoll.user("ada")
    lesser = await ada.key_client("conversations")
    for _ in range(3):
        assert (await lesser.get("/v1/models")).status_code == 403
    assert (await ada.client.get("/v1/models")).status_code != 429
