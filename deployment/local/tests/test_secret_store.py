"""Secrets are made once, kept private and never replaced silently."""

import stat
from pathlib import Path

import pytest

from atoll_local.problem import BadSetting
from atoll_local.secret_store import NAMES, read_secrets, secrets_file


def test_made_once_and_readable_by_the_owner_alone(tmp_path: Path) -> None:
    first = read_secrets(tmp_path, {})
    assert set(first) == set(NAMES)
    assert len(set(first.values())) == len(NAMES)
    assert all(len(value) == 64 for value in first.values())
    assert stat.S_IMODE(secrets_file(tmp_path).stat().st_mode) == 0o600
    assert read_secrets(tmp_path, {}) == first
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.env"]


def test_settings_win_and_leave_the_file_as_it_is(tmp_path: Path) -> None:
    first = read_secrets(tmp_path, {})
    mixed = read_secrets(tmp_path, {"SECRET_KEY": "mine"})
    assert mixed == {"SECRET_KEY": "mine", "INTERNAL_TOKEN": first["INTERNAL_TOKEN"]}
    assert read_secrets(tmp_path, {}) == first


def test_no_file_is_needed_when_both_are_set(tmp_path: Path) -> None:
    given = {"SECRET_KEY": "a", "INTERNAL_TOKEN": "b"}
    assert read_secrets(tmp_path, given) == given
    assert not secrets_file(tmp_path).exists()


def test_one_that_is_missing_is_added_beside_the_other(tmp_path: Path) -> None:
    only = read_secrets(tmp_path, {"SECRET_KEY": "mine"})
    both = read_secrets(tmp_path, {})
    assert both["INTERNAL_TOKEN"] == only["INTERNAL_TOKEN"]
    assert both["SECRET_KEY"] != "mine"


@pytest.mark.parametrize("content", ["", "# nothing\n", "OTHER=1\n"])
def test_a_file_without_secrets_is_not_overwritten(tmp_path: Path, content: str) -> None:
    secrets_file(tmp_path).write_text(content)
    with pytest.raises(BadSetting, match="Restore it from a backup"):
        read_secrets(tmp_path, {})
    assert secrets_file(tmp_path).read_text() == content


def test_those_of_containers_on_the_same_data_are_taken_over(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "secret_key").write_text("first")
    (folder / "internal_token").write_text("second\n")
    wanted = {"SECRET_KEY": "first", "INTERNAL_TOKEN": "second"}
    assert read_secrets(tmp_path, {}) == wanted
    (folder / "internal_token").unlink()
    made = read_secrets(tmp_path, {})
    assert made["SECRET_KEY"] == "first"
    # What had to be made is kept with the rest.
    assert read_secrets(tmp_path, {}) == made
