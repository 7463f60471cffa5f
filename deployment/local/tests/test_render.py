"""The files from which processes start: private, complete, and valid for any value."""

import configparser
import json
import stat
from pathlib import Path

import pytest

from atoll_local.environment import Environment, read_environment
from atoll_local.folders import make_folders
from atoll_local.problem import BadSetting, Problem
from atoll_local.render import programs, render, socket_path

ROOT = Path(__file__).parents[3]
SECRETS = {"SECRET_KEY": "s" * 64, "INTERNAL_TOKEN": "t" * 64}
# Everything that quoting has ever got wrong.
AWKWARD = "a'b\"c%(here)s%d;# $HOME \\ \u4f60"


def environment(data_dir: Path, **variables: str) -> Environment:
    found = read_environment(
        ROOT, {"PATH": "/usr/sbin:/usr/bin:/bin", "DATA_DIR": str(data_dir), **variables}
    )
    make_folders(found)
    return found


def test_awkward_values_reach_their_service_unchanged(tmp_path: Path) -> None:
    where = environment(tmp_path / "data", ADMIN_PASSWORD=AWKWARD)
    configuration = render(where, SECRETS)
    launch = json.loads((where.run_dir / "chat-backend.json").read_text())
    assert launch["environment"]["ADMIN_PASSWORD"] == AWKWARD
    assert AWKWARD not in configuration.read_text()


def test_no_secret_is_readable_by_others_or_in_supervisors_file(tmp_path: Path) -> None:
    where = environment(tmp_path / "data")
    configuration = render(where, SECRETS)
    for secret in SECRETS.values():
        assert secret not in configuration.read_text()
    for path in [*where.run_dir.iterdir(), *(where.gateway_dir / "nginx").rglob("*")]:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    # Passable for nginx's workers, listable for nobody.
    assert stat.S_IMODE(where.data_dir.stat().st_mode) == 0o711


def test_order_of_start_and_stop_and_the_time_it_may_take(tmp_path: Path) -> None:
    where = environment(tmp_path / "data")
    started = sorted(programs(where, SECRETS), key=lambda program: program.priority)
    assert [program.name for program in started] == ["chat-backend", "inference", "gateway"]
    assert sum(program.stop_seconds for program in started) < 15


def test_supervisor_listens_on_no_network(tmp_path: Path) -> None:
    parser = configparser.RawConfigParser()
    parser.read(render(environment(tmp_path / "data"), SECRETS))
    assert "inet_http_server" not in parser.sections()
    assert parser["unix_http_server"]["chmod"] == "0700"


def test_a_long_path_still_has_a_socket(tmp_path: Path) -> None:
    where = environment(tmp_path / ("long" * 30))
    path = socket_path(where)
    assert len(bytes(path)) < 97
    render(where, SECRETS)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert socket_path(environment(tmp_path / ("song" * 30))) != path


def test_a_bad_gateway_setting_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="TRUSTED_PROXIES"):
        render(environment(tmp_path / "data", TRUSTED_PROXIES="proxy.example"), SECRETS)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match="DATA_DIR"):
        environment(tmp_path / "file" / "data")
