"""What a person or a program does with the stack over HTTP."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import httpx

from .stack import ADMIN, ADMIN_PASSWORD, FIRST_PASSWORD, wait_for

FINAL = ("complete", "stopped", "failed")


class Door(Protocol):
    """A stack as people meet it, of processes or of containers."""

    @property
    def url(self) -> str:
        """Base address of the gateway."""

    def on_stop(self, action: Callable[[], None]) -> None:
        """Call `action` before the stack is stopped."""


class Person:
    """A signed-in user: an HTTP client that holds the cookie and sends the CSRF token."""

    def __init__(self, stack: Door, username: str, password: str) -> None:
        self.stack = stack
        self.username = username
        self.password = password
        self.http = httpx.Client(base_url=stack.url, timeout=60)
        self.user: dict[str, Any] = {}
        stack.on_stop(self.close)

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def sign_in(self) -> "Person":
        """Log in and remember the CSRF token."""
        body = {"username": self.username, "password": self.password}
        answer = self.http.post("/api/auth/login", json=body)
        assert answer.status_code == 200, answer.text
        self.user = answer.json()["user"]
        self.http.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        return self

    def change_password(self, new: str) -> None:
        """Change the password; the session goes on under a new CSRF token."""
        body = {"current_password": self.password, "new_password": new}
        answer = self.http.post("/api/auth/password", json=body)
        assert answer.status_code == 200, answer.text
        self.password = new
        self.http.headers["X-CSRF-Token"] = answer.json()["csrf_token"]

    def api_key(self, **body: Any) -> str:
        """A new API key."""
        answer = self.http.post("/api/auth/api-keys", json={"name": "test", **body})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["key"])

    def conversation(self) -> str:
        """The id of a new conversation."""
        answer = self.http.post("/api/conversations", json={})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def say(self, conversation: str, content: str) -> tuple[str, str]:
        """Send a message; gives the run's id and the id of the answer being written."""
        answer = self.http.post(
            f"/api/conversations/{conversation}/messages", json={"content": content}
        )
        assert answer.status_code == 202, answer.text
        run = answer.json()["run"]
        return run["id"], run["message_id"]

    def messages(self, conversation: str) -> list[dict[str, Any]]:
        """The messages of a conversation, oldest first."""
        answer = self.http.get(f"/api/conversations/{conversation}/messages")
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    def message(self, conversation: str, identifier: str) -> dict[str, Any]:
        """One message of a conversation."""
        return next(m for m in self.messages(conversation) if m["id"] == identifier)

    def finished(self, conversation: str, identifier: str, seconds: float = 120) -> dict[str, Any]:
        """Wait until a message is final, and give it."""

        def final() -> dict[str, Any] | None:
            try:
                message = self.message(conversation, identifier)
            except (httpx.HTTPError, AssertionError):
                return None  # a service is being restarted
            return message if message["status"] in FINAL else None

        return wait_for("the end of the answer", final, seconds)

    def events(
        self, run: str, last_event_id: int | None = None
    ) -> Iterator[tuple[int, str, dict[str, Any]]]:
        """The events of a run as (id, name, data), until its end."""
        headers = {} if last_event_id is None else {"Last-Event-ID": str(last_event_id)}
        with self.http.stream("GET", f"/api/runs/{run}/events", headers=headers) as answer:
            assert answer.status_code == 200, answer.read()
            yield from sse(answer.iter_lines())


def sse(lines: Iterator[str]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Parse server-sent events with JSON data."""
    identifier, name = 0, "message"
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "id":
            identifier = int(value)
        elif field == "event":
            name = value
        elif field == "data":
            yield identifier, name, json.loads(value)


def first_admin(stack: Door) -> Person:
    """The administrator after the forced first change of password."""
    admin = Person(stack, ADMIN, FIRST_PASSWORD).sign_in()
    admin.change_password(ADMIN_PASSWORD)
    return admin


def new_user(stack: Door, username: str) -> Person:
    """A user who registered in a stack with open registration, signed in."""
    password = f"password of {username}"
    body = {"username": username, "password": password}
    answer = httpx.post(f"{stack.url}/api/auth/register", json=body, timeout=30)
    assert answer.status_code == 201, answer.text
    return Person(stack, username, password).sign_in()
