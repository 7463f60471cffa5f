"""Session tokens and API keys: how they are made, and the digests by which they are found."""

import hashlib
import hmac
import re
import secrets
import string

KEY_PREFIX = "sk-atoll-"
KEY_LETTERS = string.digits + string.ascii_letters
KEY_LENGTH = 43  # 43 letters out of 62 are 256 bits
SHOWN_PREFIX = len(KEY_PREFIX) + 6

_KEY = re.compile(KEY_PREFIX + rf"[0-9A-Za-z]{{{KEY_LENGTH}}}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """256 random bits in URL-safe base64: 43 characters."""
    return secrets.token_urlsafe(32)


def new_api_key() -> str:
    """`sk-atoll-` and 43 random letters and digits."""
    return KEY_PREFIX + "".join(secrets.choice(KEY_LETTERS) for _ in range(KEY_LENGTH))


def new_password() -> str:
    """A password for a person to read from a file or a screen: 20 letters and digits."""
    # Without the letters that are taken for one another.
    letters = [letter for letter in KEY_LETTERS if letter not in "0O1lI"]
    return "".join(secrets.choice(letters) for _ in range(20))


def is_token(value: str) -> bool:
    """Whether `value` has the form of a session token."""
    return _TOKEN.fullmatch(value) is not None


def is_api_key(value: str) -> bool:
    """Whether `value` has the form of an API key."""
    return _KEY.fullmatch(value) is not None


class Digests:
    """Keyed digests (HMAC-SHA256): a stolen database gives no credential that works."""

    def __init__(self, secret_key: str) -> None:
        self._key = secret_key.encode()

    def of(self, purpose: str, value: str) -> str:
        """The digest of `value` as 64 hexadecimal digits; each `purpose` has its own."""
        message = purpose.encode() + b"\0" + value.encode("utf-8", "surrogatepass")
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()

    def session(self, token: str) -> str:
        """The digest under which a session is stored."""
        return self.of("session", token)

    def api_key(self, key: str) -> str:
        """The digest under which an API key is stored."""
        return self.of("api_key", key)
