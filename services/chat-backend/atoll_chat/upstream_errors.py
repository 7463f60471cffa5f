"""What a client is told when inference, or a configured upstream, refuses or fails.

Inference speaks our error shape, so its refusals pass through. A foreign upstream's do so only
where they speak of the request; what they say of our key or of the address stays in our log.
"""

import json
from typing import Any, Literal

from atoll_kit.errors import ApiError, BadGateway, DeadlineExceeded, Unavailable
from atoll_kit.logs import get_logger

log = get_logger(__name__)

Source = Literal["local", "upstream"]
"""Who answers for a model: the inference service, or the upstream of LLM_API_URL."""

_NAMES: dict[Source, str] = {
    "local": "The inference service",
    "upstream": "The upstream model server",
}
_PASSED_ON = frozenset({400, 404, 409, 413, 415, 422, 429, 499, 503, 504})


def unreachable(source: Source) -> ApiError:
    """No connection, or no answer on it."""
    return Unavailable(
        f"{_NAMES[source]} cannot be reached. It may be restarting: try again in a moment. "
        "If this stays, an operator can look at /api/status and the logs.",
        code="upstream_unavailable",
        retry_after=5,
    )


def too_late(source: Source) -> ApiError:
    """It took the request and did not answer in time."""
    return DeadlineExceeded(
        f"{_NAMES[source]} did not answer in the time allowed. Ask for less, or try again "
        "when it is less busy."
    )


def broken_off(source: Source) -> ApiError:
    """The connection ended in the middle of an answer."""
    return BadGateway(
        f"{_NAMES[source]} stopped in the middle of the answer. The text so far is kept: "
        "ask again in a moment.",
        code="upstream_unavailable",
    )


def not_understood(source: Source) -> ApiError:
    """It answered with something that is no answer of a model."""
    return BadGateway(
        f"{_NAMES[source]} sent something that is not an answer of a model. An operator should "
        "check its address and its log.",
        code="upstream_error",
    )


def from_answer(
    source: Source, status: int, body: bytes, *, retry_after: str | None, hidden: list[str]
) -> ApiError:
    """The error in a response with `status`.

    Args:
        source: who answered.
        status: HTTP status, not 200.
        body: what came with it, perhaps cut off.
        retry_after: its Retry-After header.
        hidden: strings that must not reach the client.
    """
    detail = _detail(body)
    log.warning(
        "upstream_refused",
        source=source,
        status=status,
        code=detail.get("code"),
        message=_without(str(detail.get("message", "")), hidden)[:300],
    )
    if status in (401, 403):
        return _credential_refused(source)
    if status not in _PASSED_ON or not detail:
        return unreachable(source) if status >= 500 else not_understood(source)
    return from_detail(source, status, detail, retry_after=retry_after, hidden=hidden)


def from_detail(
    source: Source,
    status: int,
    detail: dict[str, Any],
    *,
    hidden: list[str],
    retry_after: str | None = None,
) -> ApiError:
    """An `error` object, from a response or from the middle of a stream."""
    code = detail.get("code") or detail.get("type")
    param = detail.get("param")
    return ApiError(
        _without(str(detail.get("message") or f"{_NAMES[source]} refused the request."), hidden),
        code=str(code) if code else "upstream_error",
        status=status,
        param=param if isinstance(param, str) else None,
        headers={"Retry-After": retry_after} if retry_after else None,
    )


def _credential_refused(source: Source) -> ApiError:
    variable = "INTERNAL_TOKEN" if source == "local" else "LLM_API_KEY"
    return BadGateway(
        f"{_NAMES[source]} did not accept this server's credential. An operator should check "
        f"{variable}.",
        code="upstream_credential_refused",
    )


def _detail(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    error = payload.get("error") if isinstance(payload, dict) else None
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, dict) else {}


def _without(message: str, hidden: list[str]) -> str:
    for text in hidden:
        message = message.replace(text, "…")
    return message
