"""Asking a request to stop, with the reason it will be told."""

from collections.abc import Callable

from atoll_kit.errors import ApiError, Unavailable

OnCancel = Callable[[ApiError], None]


class Cancel:
    """A one-shot signal, set and observed on the event loop."""

    def __init__(self) -> None:
        self.error: ApiError | None = None
        self._observers: list[OnCancel] = []

    def set(self, error: ApiError) -> None:
        """Stop the request with `error`; later calls change nothing."""
        if self.error is not None:
            return
        self.error = error
        for observer in self._observers:
            observer(error)

    def observe(self, observer: OnCancel) -> None:
        """Call `observer` when set, at once if it already is."""
        self._observers.append(observer)
        if self.error is not None:
            observer(self.error)


def client_gone() -> ApiError:
    """499: the client closed the connection; logged, never read by anyone."""
    return ApiError("The client closed the connection.", status=499, code="client_closed_request")


def cancelled() -> ApiError:
    """499: an operator or the account's owner stopped the request."""
    return ApiError("The request was cancelled.", status=499, code="cancelled")


def shutting_down() -> Unavailable:
    """503: the service is going down; what it was generating ends here."""
    return Unavailable(
        "The inference service is shutting down and stopped this answer. Ask again in a moment.",
        code="interrupted",
        retry_after=5,
    )


def slow_client(seconds: float) -> ApiError:
    """408: the reader did not take the answer in time."""
    return ApiError(
        f"The answer was not read for {seconds:g} s and was dropped. Read the stream faster.",
        status=408,
        code="slow_client",
    )
