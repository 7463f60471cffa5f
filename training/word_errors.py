"""How many words of a transcript are wrong."""

import re
from collections.abc import Sequence

_DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def words(text: str) -> list[str]:
    """In lower case, without signs, with digits as words."""
    spelled = re.sub(r"\d", lambda digit: f" {_DIGITS[int(digit[0])]} ", text.lower())
    return re.findall(r"[a-z']+", spelled.replace("’", "'"))


def error_rate(said: Sequence[Sequence[str]], heard: Sequence[Sequence[str]]) -> float:
    """Edits over words that were said, over all texts together."""
    edits = sum(distance(a, b) for a, b in zip(said, heard, strict=True))
    return edits / sum(map(len, said))


def distance(said: Sequence[str], heard: Sequence[str]) -> int:
    """The Levenshtein distance in words."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]
