"""Synopses and descriptions of Debian's packages: questions with answers, or texts with summaries.

Both are written by the people who maintain a package. Packages of one source often share most of
their description, so of each such group one is taken.
"""

import hashlib
import lzma
import re
from collections.abc import Iterator
from dataclasses import dataclass

from training import held_out
from training.downloads import debian_file

# The last point release of Debian 12: this file does not change any more.
_PATH = "dists/bookworm/main/i18n/Translation-en.xz"
_SHA256 = "a3d4a0bfd8e9242810b0885eda7c1a6e05dac15b333ddbaab03ba56f2dfa4bf0"

_HELD_OUT_SHARE = 0.12
_LEAST_WORDS = 4
_LEAST_CHARACTERS = 120
_MOST_CHARACTERS = 600


@dataclass(frozen=True, slots=True)
class Pair:
    """A short description and the long one that belongs to it."""

    package: str
    synopsis: str
    description: str


def training() -> list[Pair]:
    """Pairs to train on; none is nearly the same as one that is held out."""
    pairs = _pairs()
    rest = [pair for pair in pairs if not _is_held_out(pair)]
    texts = [pair.description for pair in rest]
    kept = held_out.keep(texts, (pair.description for pair in pairs if _is_held_out(pair)))
    return [rest[i] for i in kept]


def testing() -> list[Pair]:
    """Pairs that no training saw."""
    return [pair for pair in _pairs() if _is_held_out(pair)]


def _pairs() -> list[Pair]:
    """One package of each group, in the order of their names."""
    groups: dict[str, Pair] = {}
    for pair in _parsed(lzma.decompress(debian_file(_PATH, _SHA256).read_bytes()).decode()):
        key = pair.description[:160].lower()
        if key not in groups or len(pair.package) < len(groups[key].package):
            groups[key] = pair
    by_synopsis = {pair.synopsis.lower(): pair for pair in groups.values()}
    return sorted(by_synopsis.values(), key=lambda pair: pair.package)


def _parsed(text: str) -> Iterator[Pair]:
    for stanza in text.split("\n\n"):
        head, _, body = stanza.partition("\nDescription-en: ")
        lines = body.split("\n")
        package = head.partition("Package: ")[2].partition("\n")[0]
        # The part in parentheses names the kind of package: (documentation), (debug symbols).
        synopsis = re.sub(r"\s*(\([^)]*\)|- .*)$", "", lines[0]).strip()
        paragraphs = " ".join(line.strip() for line in lines[1:]).split(" . ")
        description = _cut(" ".join(paragraphs))
        if (
            len(synopsis.split()) >= _LEAST_WORDS
            and len(description) >= _LEAST_CHARACTERS
            # Otherwise finding it is looking for the same words.
            and synopsis.lower() not in description.lower()
        ):
            yield Pair(package, synopsis, description)


def _cut(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    return text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS].rsplit(" ", 1)[0]


def _is_held_out(pair: Pair) -> bool:
    """By name without what tells parts of one source from each other."""
    name = re.sub(r"^(lib|python3?-|ruby-|node-|golang-|r-cran-)|[-0-9.].*$", "", pair.package)
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < _HELD_OUT_SHARE
