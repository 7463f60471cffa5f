"""Who is asking."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated user, by cookie or by API key.

    Exactly one of `session_id` and `key_id` is set. `scopes` is None for a session, which may do
    whatever its user may.
    """

    user_id: str
    username: str
    role: str
    must_change_password: bool
    session_id: str | None = None
    key_id: str | None = None
    scopes: frozenset[str] | None = None

    @property
    def is_admin(self) -> bool:
        """Whether administration is allowed, for a key by its scope too."""
        return self.role == "admin" and (self.scopes is None or "admin" in self.scopes)
