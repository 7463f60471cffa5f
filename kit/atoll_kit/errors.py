"""The one error shape of every Atoll service.

Every refusal is `{"error": {message, type, code, param, request_id}}`. The message says what
happened and what to do; the code is stable and meant for programs.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from atoll_kit.logs import get_logger
from atoll_kit.request_id import request_id

log = get_logger(__name__)

_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


class ErrorDetail(BaseModel):
    """What happened, for people (`message`) and for programs (`code`)."""

    message: str = Field(description="What happened and what to do about it.")
    type: str = Field(description="The family of the error, as OpenAI clients know it.")
    code: str = Field(description="Stable identifier of this error.")
    param: str | None = Field(default=None, description="The parameter at fault, if one is.")
    request_id: str | None = Field(default=None, description="The id to quote to an operator.")


class ErrorResponse(BaseModel):
    """Body of every answer with a status of 400 or more."""

    error: ErrorDetail


class ApiError(Exception):
    """A refusal that a client sees.

    Subclasses fix the status. `headers` are added to the response.
    """

    status = 500
    code = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.status = status or self.status
        self.param = param
        self.headers = dict(headers or {})
        if retry_after is not None:
            # Whole seconds, rounded up: a client that obeys must not come back too early.
            self.headers["Retry-After"] = str(max(1, int(-(-retry_after // 1))))

    @property
    def type(self) -> str:
        """The OpenAI error family of this status."""
        if self.status in _TYPES:
            return _TYPES[self.status]
        return "invalid_request_error" if self.status < 500 else "server_error"


class BadRequest(ApiError):
    """400: the request cannot be decoded, or cannot be served as it stands."""

    status, code = 400, "invalid_request"


class Unauthorized(ApiError):
    """401: no credential, or one that is not known."""

    status, code = 401, "not_authenticated"


class Forbidden(ApiError):
    """403: the credential is known and does not allow this."""

    status, code = 403, "forbidden"


class NotFound(ApiError):
    """404: absent, or not yours."""

    status, code = 404, "not_found"


class Conflict(ApiError):
    """409: the state of the object does not allow this now."""

    status, code = 409, "conflict"


class TooLarge(ApiError):
    """413: more bytes, pixels, seconds or tokens than the settings allow."""

    status, code = 413, "too_large"


class UnsupportedType(ApiError):
    """415: a media type that is not served here."""

    status, code = 415, "unsupported_media_type"


class Unprocessable(ApiError):
    """422: well-formed, but a value is not valid."""

    status, code = 422, "invalid_value"


class TooManyRequests(ApiError):
    """429: a queue is full or a quota is used up; `Retry-After` says when to come back."""

    status, code = 429, "rate_limited"


class BadGateway(ApiError):
    """502: an upstream answered with something that cannot be passed on."""

    status, code = 502, "upstream_error"


class Unavailable(ApiError):
    """503: a model or a service cannot answer now."""

    status, code = 503, "unavailable"


class DeadlineExceeded(ApiError):
    """504: the answer did not come in the time allowed."""

    status, code = 504, "deadline_exceeded"


def error_payload(error: ApiError) -> dict[str, Any]:
    """The JSON body for `error`, with the id of the request being served."""
    return {
        "error": {
            "message": error.message,
            "type": error.type,
            "code": error.code,
            "param": error.param,
            "request_id": request_id() or None,
        }
    }


def error_response(error: ApiError) -> JSONResponse:
    """`error` as an HTTP response."""
    return JSONResponse(error_payload(error), error.status, headers=error.headers)


def from_validation(error: RequestValidationError) -> ApiError:
    """The first validation failure as an `ApiError`: 400 when the body is no JSON, else 422."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return BadRequest(
            "The request body is not valid JSON. Send a JSON object with the Content-Type "
            "application/json.",
            code="invalid_json",
        )
    # The first element only says where the value came from: body, query, path or header.
    path = ".".join(str(part) for part in first["loc"][1:]) or None
    where = f"`{path}`: " if path else "The request body: "
    return Unprocessable(f"{where}{first['msg']}.", code="invalid_value", param=path)


def _from_http(error: HTTPException) -> ApiError:
    if error.status_code == 404:
        return NotFound("There is no such route. See /docs for the routes of this service.")
    if error.status_code == 405:
        return ApiError(
            "This route does not take that method. See /docs.",
            status=405,
            code="method_not_allowed",
            headers=error.headers,
        )
    return ApiError(
        str(error.detail), status=error.status_code, code="http_error", headers=error.headers
    )


def install_error_handlers(app: FastAPI) -> None:
    """Make every failure of `app` answer in the one error shape."""

    async def api_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ApiError)
        return error_response(error)

    async def validation_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return error_response(from_validation(error))

    async def http_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return error_response(_from_http(error))

    app.add_exception_handler(ApiError, api_error)
    app.add_exception_handler(RequestValidationError, validation_error)
    app.add_exception_handler(HTTPException, http_error)


def internal_error(error: Exception) -> ApiError:
    """Log an unexpected exception and give what the client may see of it."""
    log.error("unhandled_exception", exc_info=error)
    return ApiError(
        "Something failed on the server. It was logged; quote the request_id to your operator.",
        code="internal_error",
    )
