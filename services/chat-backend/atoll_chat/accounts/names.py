"""User names: their form, and the key by which two spellings are one name."""

import re
import unicodedata

from atoll_kit.errors import Unprocessable

_WELL_FORMED = re.compile(r"[\w.@-]{1,64}")


def clean_username(username: str) -> str:
    """`username` in its normal form (NFKC).

    Raises:
        Unprocessable: it is not 1 to 64 letters, digits or one of `. _ @ -`.
    """
    normal = unicodedata.normalize("NFKC", username)
    if not _WELL_FORMED.fullmatch(normal):
        raise Unprocessable(
            "A user name has 1 to 64 letters, digits, dots, underscores, hyphens or @ signs.",
            code="invalid_username",
            param="username",
        )
    return normal


def username_key(username: str) -> str:
    """What is compared: `Ada`, `ADA` and full-width `Ａｄａ` have the same key."""
    folded = unicodedata.normalize("NFKC", username).casefold()
    return unicodedata.normalize("NFKC", folded)
