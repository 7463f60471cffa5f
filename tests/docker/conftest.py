"""One engine, one build of the images and one running stack for all tests of this folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.person import Person, first_admin

from .deployment import Clone
from .images import build, ensure_engine

# A first build fetches gigabytes; what follows comes from its layers.
TIMEOUT_SECONDS = 3600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test waits for the build."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(TIMEOUT_SECONDS))


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """A Docker engine; installed where there is none."""
    ensure_engine()


@pytest.fixture(scope="session")
def release(engine: None) -> str:
    """The tag of the images of this checkout. ATOLL_TEST_RELEASE names images built before."""
    built = os.environ.get("ATOLL_TEST_RELEASE")
    if built:
        return built
    build("test")
    return "test"


@pytest.fixture(scope="session")
def clone(release: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """The stack of this clone, started with an empty models folder: `docker compose up`."""
    folder = tmp_path_factory.mktemp("clone")
    stack = Clone(folder, f"atoll-clone-{os.getpid()}", release)
    with stack:
        stack.up()
        yield stack


@pytest.fixture(scope="session")
def admin(clone: Clone) -> Person:
    """The administrator of that stack, past the forced change of password."""
    return first_admin(clone)
