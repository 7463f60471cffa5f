"""Why an input is not taken. The messages are fit for a client and say what to do."""


class MediaError(Exception):
    """Base of all refusals. `code` is stable and meant for programs."""

    code = "invalid_media"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code


class Undecodable(MediaError):
    """The bytes are damaged, empty, or hold nothing of the wanted kind."""

    code = "undecodable"


class Unsupported(MediaError):
    """The bytes are fine and of a type that is not taken."""

    code = "unsupported_media_type"


class MediaTooLarge(MediaError):
    """More bytes, pixels, frames or seconds than the settings allow."""

    code = "too_large"


class NotAllowed(MediaError):
    """A URL or path that the settings do not open."""

    code = "source_not_allowed"
