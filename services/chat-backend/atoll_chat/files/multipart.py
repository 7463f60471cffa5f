"""The one file of a multipart form, streamed: a large upload is written to the disk once."""

import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from atoll_kit.errors import ApiError, BadRequest, Unprocessable, UnsupportedType

MAX_HEADER = 8 * 1024
MAX_NAME = 255


@dataclass(slots=True)
class Part:
    """The headers of a part, as sent."""

    field: str
    filename: str | None
    media_type: str


class FileForm:
    """Reads a form with one part `file`; other parts are passed over.

    `part` is set once the first chunk has come out of `chunks()`, or at its end.

    Raises:
        UnsupportedType: the body is no multipart form.
    """

    def __init__(self, content_type: str, body: AsyncIterator[bytes]) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise UnsupportedType("Send the file as multipart/form-data, in the field `file`.")
        self.part: Part | None = None
        self._body = body
        self._ready: list[bytes] = []
        self._header = b""
        self._value = b""
        self._headers: dict[str, bytes] = {}
        self._header_bytes = 0
        self._in_file = False
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._part_begins,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_ends,
                    "on_headers_finished": self._headers_end,
                    "on_part_data": self._data,
                    "on_end": self._form_ends,
                },
            )
        except MultipartParseError as error:
            raise _malformed() from error

    async def chunks(self) -> AsyncIterator[bytes]:
        """The content of the part `file`.

        Raises:
            BadRequest: code `invalid_multipart`.
            Unprocessable: code `missing_file`, or `one_file` when there are several.
        """
        async for received in self._body:
            try:
                self._parser.write(received)
            except MultipartParseError as error:
                raise _malformed() from error
            if self._ready:
                yield b"".join(self._ready)
                self._ready.clear()
        if not self._ended:
            raise _malformed()
        if self.part is None:
            raise Unprocessable(
                "The form has no file in the field `file`.", code="missing_file", param="file"
            )

    def _part_begins(self) -> None:
        self._headers = {}
        self._header_bytes = 0
        self._in_file = False

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += self._counted(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += self._counted(data[start:end])

    def _counted(self, piece: bytes) -> bytes:
        self._header_bytes += len(piece)
        if self._header_bytes > MAX_HEADER:
            raise _malformed()
        return piece

    def _header_ends(self) -> None:
        self._headers[self._header.decode("latin-1").lower()] = self._value
        self._header = self._value = b""

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        part = Part(
            field=options.get(b"name", b"").decode("utf-8", "replace"),
            filename=_text(options.get(b"filename")),
            media_type=self._headers.get("content-type", b"").decode("latin-1").strip(),
        )
        if part.field != "file" or part.filename is None:
            return
        if self.part is not None:
            raise Unprocessable("Send one file at a time.", code="one_file", param="file")
        self.part, self._in_file = part, True

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._ready.append(data[start:end])

    def _form_ends(self) -> None:
        self._ended = True


def clean_name(name: str) -> str:
    """`name` as it is shown: one line, no control characters, at most 255 characters."""
    # A browser may send a path; what follows the last slash is what the user called it.
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(
        "_" if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") else letter
        for letter in last
    )
    return visible.strip()[:MAX_NAME] or "file"


def clean_media_type(value: str) -> str:
    """`type/subtype` of a Content-Type, or `application/octet-stream` for anything else."""
    kind = value.partition(";")[0].strip().lower()
    main, slash, sub = kind.partition("/")
    plain = all(part and part.isascii() and _is_token(part) for part in (main, sub))
    return kind if slash and plain and len(kind) <= 127 else "application/octet-stream"


def _is_token(text: str) -> bool:
    return all(letter.isalnum() or letter in "!#$&-^_.+" for letter in text)


def _text(raw: bytes | None) -> str | None:
    return raw.decode("utf-8", "replace") if raw is not None else None


def _malformed() -> ApiError:
    return BadRequest("The multipart form cannot be decoded.", code="invalid_multipart")
