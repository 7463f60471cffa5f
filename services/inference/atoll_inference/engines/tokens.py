"""Text to token ids on any thread: no padding, no silent cut, special tokens put on separately.

transformers' tokenizers keep truncation and padding as settings of a shared object and fail when
two threads change them at once. Here the object is never changed after loading.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import transformers
from tokenizers import normalizers

from atoll_inference.engines.base import InvalidInput, LoadFailed


@dataclass(frozen=True, slots=True)
class TokenIds:
    """What an encoder reads of one text or pair: `ids`, and `types` that tell a pair apart."""

    ids: tuple[int, ...]
    types: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Frame:
    """Special tokens around a text: `parts` has one more entry than there are texts."""

    parts: tuple[tuple[tuple[int, int], ...], ...]
    types: tuple[int, ...]

    @property
    def size(self) -> int:
        return sum(len(part) for part in self.parts)


class TextTokenizer:
    """The tokenizer of a checkpoint.

    Args:
        folder: holds tokenizer.json, or a vocabulary that transformers can make one of.
        lower_case: whether texts are lower-cased first, whatever the tokenizer does itself.

    Raises:
        LoadFailed: the folder has no tokenizer, or a damaged one.
    """

    def __init__(self, folder: Path, *, lower_case: bool = False) -> None:
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except Exception as error:  # the tokenizers package raises bare Exception
            raise LoadFailed(
                f"The tokenizer in {folder} cannot be read: {error}. Fetch the checkpoint again."
            ) from error
        self.transformers: Any = tokenizer
        self._backend: Any = getattr(tokenizer, "backend_tokenizer", None)
        if self._backend is None:
            raise LoadFailed(
                f"The tokenizer in {folder} works only in Python. Add a tokenizer.json to it."
            )
        self._backend.no_truncation()
        self._backend.no_padding()
        if lower_case:
            own = [self._backend.normalizer] if self._backend.normalizer else []
            self._backend.normalizer = normalizers.Sequence([normalizers.Lowercase(), *own])
        self.pad_id: int = tokenizer.pad_token_id or 0
        normalizer = self._backend.normalizer
        self.lower_cases: bool = normalizer is not None and normalizer.normalize_str("A") == "a"
        self.reads_types: bool = "token_type_ids" in tokenizer.model_input_names
        self.max_length: int = tokenizer.model_max_length
        self._single = self._frame(1)
        self._pair = self._frame(2)

    @property
    def special_tokens(self) -> int:
        """Special tokens around a single text."""
        return self._single.size

    @property
    def special_tokens_of_pair(self) -> int:
        """Special tokens around and between the texts of a pair."""
        return self._pair.size

    def read(self, text: str, name: str, param: str | None = None) -> tuple[int, ...]:
        """The token ids of a text, without special tokens and however long it is.

        Args:
            name: what the text is called in messages, such as `text` or `document 3`.
            param: the parameter that held it.

        Raises:
            InvalidInput: it has no token, or characters that are not Unicode.
        """
        return tuple(self._encode(text, name, param).ids)

    def read_with_offsets(
        self, text: str, name: str, param: str | None = None
    ) -> tuple[tuple[int, ...], list[tuple[int, int]]]:
        """Token ids as of `read`, and where each begins and ends in the text, in characters."""
        encoding = self._encode(text, name, param)
        return tuple(encoding.ids), encoding.offsets

    def single(self, ids: Sequence[int]) -> TokenIds:
        """One text with its special tokens."""
        return _framed(self._single, (ids,))

    def pair(self, first: Sequence[int], second: Sequence[int]) -> TokenIds:
        """Two texts with their special tokens."""
        return _framed(self._pair, (first, second))

    def text(self, ids: Sequence[int]) -> str:
        """Text of token ids, without special tokens and without spaces around it."""
        return str(self._backend.decode(list(ids), skip_special_tokens=True)).strip()

    def check(self, text: str, name: str, param: str | None = None) -> None:
        """Refuse a text that has nothing to read, or is not Unicode; see `read`."""
        if not text.strip():
            raise InvalidInput(f"The {name} is empty. Send at least one word.", param)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InvalidInput(
                f"The {name} has half of a surrogate pair at character {error.start}, which is no "
                "character. Send valid Unicode.",
                param,
            ) from None

    def _encode(self, text: str, name: str, param: str | None) -> Any:
        self.check(text, name, param)
        encoding = self._backend.encode(text, add_special_tokens=False)
        if not encoding.ids:
            raise InvalidInput(
                f"The {name} has no character that this model knows. Send at least one word.", param
            )
        return encoding

    def _frame(self, texts: int) -> _Frame:
        samples = [self._backend.encode("a", add_special_tokens=False) for _ in range(texts)]
        length = len(samples[0].ids)
        encoding = self._backend.post_process(*samples)
        parts: list[list[tuple[int, int]]] = [[]]
        types: list[int] = []
        left = 0
        marks = zip(encoding.ids, encoding.type_ids, encoding.special_tokens_mask, strict=True)
        for token, kind, special in marks:
            if special:
                parts[-1].append((token, kind))
                continue
            if left == 0:
                left = length
                types.append(kind)
                parts.append([])
            left -= 1
        return _Frame(tuple(tuple(part) for part in parts), tuple(types))


def _framed(frame: _Frame, texts: Sequence[Sequence[int]]) -> TokenIds:
    ids = [token for token, _ in frame.parts[0]]
    types = [kind for _, kind in frame.parts[0]]
    for text, kind, after in zip(texts, frame.types, frame.parts[1:], strict=True):
        ids += text
        types += [kind] * len(text)
        ids += [token for token, _ in after]
        types += [kind for _, kind in after]
    return TokenIds(tuple(ids), tuple(types))
