"""Passwords: the rules for new ones, and their hashes.

Argon2id takes 64 MiB and a tenth of a second on purpose. Hashes are therefore computed in
threads, few at a time, and a queue that grows too long refuses.
"""

import asyncio
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from pwdlib import PasswordHash

from atoll_chat.accounts.names import username_key
from atoll_kit.errors import Unavailable, Unprocessable

MAX_LENGTH = 256
AT_ONCE = 2
WAITING = 64

_hasher = PasswordHash.recommended()


@cache
def _hash_of_nobody() -> str:
    # Compared with when there is no such user, so that both answers take the same time.
    return _hasher.hash("the password of nobody")


class Passwords:
    """Checks, hashes and verifies passwords.

    Args:
        min_length: shortest password accepted, in characters.
    """

    def __init__(self, min_length: int) -> None:
        self.min_length = min_length
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        _hash_of_nobody()

    def check(self, password: str, username: str) -> None:
        """Apply the rules for a new password of `username`.

        Raises:
            Unprocessable: code `weak_password`; the message says which rule failed.
        """
        if len(password) < self.min_length:
            raise _weak(f"A password needs at least {self.min_length} characters.")
        if len(password) > MAX_LENGTH:
            raise _weak(f"A password has at most {MAX_LENGTH} characters.")
        try:
            password.encode()
        except UnicodeEncodeError:
            raise _weak("The password holds characters that are not valid Unicode.") from None
        if username_key(password) == username_key(username):
            raise _weak("A password must differ from the user name.")

    async def hash(self, password: str) -> str:
        """The argon2id hash of `password`.

        Raises:
            Unavailable: too many hashes are being computed.
        """
        async with self._slot():
            return await asyncio.to_thread(_hasher.hash, _normal(password))

    async def verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Whether `password` is right, and a new hash when the stored one is out of date.

        With `stored` None the same work is done and the answer is False.

        Raises:
            Unavailable: too many hashes are being computed.
        """
        async with self._slot():
            right, renewed = await asyncio.to_thread(
                _hasher.verify_and_update, _normal(password), stored or _hash_of_nobody()
            )
        return (right, renewed) if stored else (False, None)

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        if self._waiting >= WAITING:
            raise Unavailable(
                "Too many people are signing in at this moment. Try again shortly.",
                code="busy",
                retry_after=5,
            )
        self._waiting += 1
        try:
            async with self._slots:
                yield
        finally:
            self._waiting -= 1


def _normal(password: str) -> str:
    # Keyboards differ in how they compose the same accented letter.
    return unicodedata.normalize("NFKC", password)


def _weak(message: str) -> Unprocessable:
    return Unprocessable(message, code="weak_password", param="password")
