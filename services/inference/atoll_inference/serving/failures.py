"""What engines and decoders raise, as the refusal a client sees."""

import errno

from atoll_inference.engines.base import ContextExceeded, EngineError, InvalidInput, OutOfMemory
from atoll_inference.media.errors import MediaError, MediaTooLarge, NotAllowed, Unsupported
from atoll_inference.serving.caller import Caller
from atoll_kit.errors import (
    ApiError,
    BadRequest,
    Forbidden,
    TooLarge,
    Unavailable,
    UnsupportedType,
)
from atoll_kit.logs import get_logger

log = get_logger(__name__)

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def as_api_error(error: BaseException, caller: Caller) -> ApiError:
    """The refusal for `error`. What nobody expected is logged and answered with 503."""
    if isinstance(error, ApiError):
        return error
    return _of_input(error) or _of_resources(error, caller) or _unexpected(error, caller)


def _of_input(error: BaseException) -> ApiError | None:
    if isinstance(error, ContextExceeded):
        return BadRequest(str(error), code="context_length_exceeded", param="messages")
    if isinstance(error, InvalidInput):
        return BadRequest(str(error), code="invalid_request", param=error.param)
    return _of_media(error) if isinstance(error, MediaError) else None


def _of_resources(error: BaseException, caller: Caller) -> ApiError | None:
    if isinstance(error, OutOfMemory | MemoryError):
        log.error("out_of_memory", error=str(error), request_id=caller.request_id)
        return Unavailable(
            "There is not enough memory for this input. Send a smaller one, or try again when the "
            "service is less busy.",
            code="out_of_memory",
            retry_after=10,
        )
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        log.error("disk_full", error=str(error), request_id=caller.request_id)
        return Unavailable(
            "The disk of the service is full and the result could not be written. Nothing was "
            "kept; tell an operator.",
            code="disk_full",
        )
    return None


def _unexpected(error: BaseException, caller: Caller) -> ApiError:
    log.error(
        "engine_failed",
        error=str(error) if isinstance(error, EngineError) else repr(error),
        request_id=caller.request_id,
        exc_info=error if error.__traceback__ and not isinstance(error, EngineError) else None,
    )
    return Unavailable(
        "The model failed on this request. It was logged; try again, and reload the model if it "
        "happens again.",
        code="engine_failed",
        retry_after=5,
    )


def _of_media(error: MediaError) -> ApiError:
    if isinstance(error, MediaTooLarge):
        return TooLarge(error.message, code=error.code)
    if isinstance(error, Unsupported):
        return UnsupportedType(error.message, code=error.code)
    if isinstance(error, NotAllowed):
        return Forbidden(error.message, code=error.code)
    return BadRequest(error.message, code=error.code)
