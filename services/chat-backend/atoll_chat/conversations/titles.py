"""Titles: made from a first message, and compared without regard to case or width."""

import unicodedata

LENGTH = 60


def title_of(content: str) -> str:
    """The first line of `content` that is not empty, cut at a word to `LENGTH` characters."""
    line = next((line for line in content.splitlines() if line.strip()), "")
    line = " ".join(line.split())
    if len(line) <= LENGTH:
        return line
    head = line[: LENGTH - 1]
    # A language without spaces, or one long word, is cut where it is.
    at_word = head.rpartition(" ")[0]
    return (at_word if len(at_word) > LENGTH // 2 else head).rstrip() + "…"


def search_key(text: str) -> str:
    """`text` as titles are compared: compatible characters unified, case folded."""
    return unicodedata.normalize("NFKC", text).casefold()


def like_pattern(text: str) -> str:
    """A LIKE pattern, with `\\` as escape, that finds `text` anywhere in a title's key."""
    key = search_key(text)
    for special in "\\%_":
        key = key.replace(special, "\\" + special)
    return f"%{key}%"
