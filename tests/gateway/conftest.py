"""Fixtures: two fake services, a built front end, and a gateway before them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .edge import INTERNAL_TOKEN, ROOT, Gateway, free_port, running
from .fake_service import Exchange, FakeService, serving

StartGateway = Callable[..., Gateway]


def allow(exchange: Exchange) -> None:
    """The chat backend knows the caller."""
    exchange.send(
        204,
        X_Atoll_User="u" * 32,
        X_Atoll_Role="user",
        X_Atoll_Key="k" * 32,
        X_Atoll_Max_Concurrent="8",
    )


@pytest.fixture
def chat() -> Iterator[FakeService]:
    """The chat backend: lets everybody through, echoes everything else."""
    with serving(FakeService(answers={"/internal/authorize": allow})) as service:
        yield service


@pytest.fixture
def inference() -> Iterator[FakeService]:
    """The inference service, echoing."""
    with serving(FakeService()) as service:
        yield service


@pytest.fixture
def frontend_root(tmp_path: Path) -> Path:
    """A front end as the build leaves it."""
    root = tmp_path / "dist"
    (root / "assets").mkdir(parents=True)
    (root / "docs").mkdir()
    (root / "index.html").write_text("<!doctype html><title>Atoll</title>")
    (root / "docs/index.html").write_text("<!doctype html><title>API</title>")
    (root / "openapi.json").write_text('{"openapi": "3.1.0"}')
    (root / "assets/index-abc123.js").write_text("export default 1;\n" * 500)
    # Workers of a root-owned nginx run under another account.
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o011)
    return root


@pytest.fixture
def start_gateway(
    tmp_path: Path, chat: FakeService, inference: FakeService, frontend_root: Path
) -> Iterator[StartGateway]:
    """Start a gateway with further settings; stopped at the end of the test."""
    with ExitStack() as stack:

        def start(**settings: str) -> Gateway:
            port = free_port()
            directory = tmp_path / f"gateway-{port}"
            directory.mkdir()
            gateway = Gateway(
                directory=directory,
                port=port,
                frontend_port=free_port(),
                frontend_root=frontend_root,
                settings={
                    "CHAT_BACKEND_ADDRESS": chat.address,
                    "INFERENCE_ADDRESS": inference.address,
                    **settings,
                },
            )
            return stack.enter_context(running(gateway))

        yield start


@pytest.fixture
def gateway(start_gateway: StartGateway) -> Gateway:
    """A gateway with the default settings."""
    return start_gateway()


@pytest.fixture
def internal_token() -> str:
    """The token that services show each other."""
    return INTERNAL_TOKEN


@pytest.fixture
def repository() -> Path:
    """The root of the checkout."""
    return ROOT
