"""A service refuses to start on a bad setting, and names it."""

from pathlib import Path

import pytest
from pydantic import Field

from atoll_kit.settings import Secret, ServiceSettings, load

GOOD = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978"


class Example(ServiceSettings):
    secret_key: Secret
    queue_limit: int = Field(default=4, ge=1)


def test_values_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", GOOD)
    monkeypatch.setenv("QUEUE_LIMIT", "9")
    assert load(Example).queue_limit == 9


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", GOOD)
    monkeypatch.setenv("QUEUE_LIMIT", "")
    assert load(Example).queue_limit == 4


def test_a_secret_may_be_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("atoll_kit.settings.SECRETS_DIR", tmp_path)
    monkeypatch.delenv("SECRET_KEY", raising=False)
    (tmp_path / "secret_key").write_text(GOOD + "\n")
    assert load(Example).secret_key == GOOD
    monkeypatch.setenv("SECRET_KEY", GOOD[::-1])
    assert load(Example).secret_key == GOOD[::-1]


@pytest.mark.parametrize(
    ("secret", "limit", "named"),
    [
        (None, "4", "SECRET_KEY: is not set"),
        ("short", "4", "SECRET_KEY: needs at least 32"),
        ("a" * 64, "4", "SECRET_KEY: needs at least 32 random"),
        ("changeme-" + GOOD, "4", "SECRET_KEY: still holds a default"),
        (GOOD, "0", "QUEUE_LIMIT: "),
        (GOOD, "many", "QUEUE_LIMIT: "),
    ],
)
def test_a_bad_value_is_named_and_the_secret_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    secret: str | None,
    limit: str,
    named: str,
) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    if secret is not None:
        monkeypatch.setenv("SECRET_KEY", secret)
    monkeypatch.setenv("QUEUE_LIMIT", limit)
    with pytest.raises(SystemExit) as stop:
        load(Example)
    shown = capsys.readouterr().err
    assert stop.value.code == 2
    assert named in shown
    assert secret is None or secret not in shown
