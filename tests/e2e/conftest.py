"""One real stack for the suite; tests that break things start their own."""

from collections.abc import Iterator
from itertools import count
from typing import Protocol

import pytest

from .person import Person, first_admin, new_user
from .stack import MODELS, Stack

_numbers = count(1)


class NewPerson(Protocol):
    """Makes a fresh user of the shared stack."""

    def __call__(self) -> Person: ...


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack with the starter model and open registration."""
    assert list(MODELS.glob("chat/*/*.gguf")), f"no chat model in {MODELS}: make models-starter"
    data = tmp_path_factory.mktemp("stack") / "data"
    # One address makes all the requests of a test run, so the gateway's pace for log-ins is raised.
    with Stack(
        data,
        CHAT_CONTEXT="1024",
        REGISTRATION="open",
        LOGIN_RATE_PER_MINUTE="600",
        LOGIN_BURST="200",
    ) as running:
        yield running


@pytest.fixture(scope="session")
def admin(stack: Stack) -> Person:
    """The administrator, past the forced change of password."""
    return first_admin(stack)


@pytest.fixture
def person(stack: Stack, admin: Person) -> NewPerson:
    """A function that makes a new user."""

    def make() -> Person:
        return new_user(stack, f"person{next(_numbers)}")

    return make
