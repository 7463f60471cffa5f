"""A deployment configuration becomes `.env` and nginx files, or every mistake is named."""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from atoll_chat.deployment_config import ConfigProblem
from atoll_chat.deployment_config.dotenv_file import changed, read
from atoll_chat.deployment_config.schema import json_schema, parse
from atoll_chat.deployment_config.variables import compose_files, wanted

REPOSITORY = Path(__file__).parents[4]
EXAMPLE = REPOSITORY / "deployment-config.example.json"
# What operators of the customer's earlier system have in their files.
FAMILIAR: dict[str, Any] = {
    "deployment": {"type": "docker"},
    "llm": {
        "api_url": "http://10.0.0.5:11553/v1/chat/completions",
        "model": "glm4_32B_chat",
        "api_key": "s3cr$t key",
    },
    "frontend": {"api_url": "http://192.168.1.100"},
    "nginx": {"enabled": True},
}


class Installation:
    """A folder with the script of the repository and nothing else."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        shutil.copy(REPOSITORY / "apply-config.sh", root)
        library = Path("deployment") / "docker" / "lib"
        shutil.copytree(REPOSITORY / library, root / library)
        binaries = root / ".venv" / "bin"
        binaries.mkdir(parents=True)
        script = binaries / "atoll-chat"
        script.write_text(f'#!/bin/sh\nexec {sys.executable} -m atoll_chat.cli "$@"\n')
        script.chmod(0o755)

    def apply(self, document: object, *options: str) -> subprocess.CompletedProcess[str]:
        file = self.root / "deployment-config.local.json"
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        return subprocess.run(
            ["bash", self.root / "apply-config.sh", file, *options],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def env(self) -> dict[str, str]:
        return read((self.root / ".env").read_text())

    def files(self) -> dict[str, str]:
        """Everything but the script, its environment and the document."""
        return {
            str(path.relative_to(self.root)): path.read_text()
            for path in self.root.rglob("*")
            if path.is_file() and ".venv" not in path.parts and path.suffix not in (".sh", ".json")
        }


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "an installation")


def test_a_familiar_file_is_applied(installation: Installation) -> None:
    done = installation.apply(FAMILIAR)
    assert done.returncode == 0, done.stderr
    assert installation.env == {
        "DEPLOYMENT_TYPE": "docker",
        "LLM_API_URL": "http://10.0.0.5:11553/v1/chat/completions",
        "LLM_MODEL": "glm4_32B_chat",
        "LLM_API_KEY": "s3cr$t key",
        "FRONTEND_API_URL": "http://192.168.1.100",
    }


def test_the_example_is_valid_and_says_what_is_left_to_fill_in(installation: Installation) -> None:
    done = installation.apply(EXAMPLE.read_text(), "--check")
    assert done.returncode == 0, done.stderr
    assert "is valid" in done.stdout
    for path in ("llm.api_url", "llm.api_key", "frontend.api_url"):
        assert f"warning: {path}: " in done.stderr
    assert installation.files() == {}


def test_a_new_file_is_for_its_owner_alone_and_begins_as_the_example(
    installation: Installation,
) -> None:
    shutil.copy(REPOSITORY / ".env.example", installation.root)
    shown = installation.apply({"accounts": {"registration": "closed"}}, "--diff").stdout
    assert "+REGISTRATION=closed" in shown
    assert len(shown.splitlines()) < 10
    assert installation.apply({"accounts": {"registration": "closed"}}).returncode == 0
    file = installation.root / ".env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = file.read_text().splitlines()
    assert lines[lines.index("#REGISTRATION=approval") + 1] == "REGISTRATION=closed"
    assert installation.env == {"REGISTRATION": "closed"}


def test_what_the_document_does_not_mention_stays(installation: Installation) -> None:
    file = installation.root / ".env"
    file.write_text("# mine\nHTTP_PORT=8090\nLLM_MODEL=old  # a note\nLLM_API_KEY='a b'\nMINE=1\n")
    file.chmod(0o640)
    before = file.read_text()
    done = installation.apply({"llm": {"model": "new", "api_key": None}})
    assert done.returncode == 0, done.stderr
    assert file.read_text() == "# mine\nHTTP_PORT=8090\nLLM_MODEL=new\nMINE=1\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    [copy] = installation.root.glob(".env.bak-*")
    assert copy.read_text() == before
    assert copy.name in done.stdout
    assert "nothing to change" in installation.apply({"llm": {"model": "new"}}).stdout


def test_the_newest_copies_are_kept(installation: Installation) -> None:
    for port in range(8000, 8010):
        assert installation.apply({"nginx": {"http_port": port}}).returncode == 0
    assert len(list(installation.root.glob(".env.bak-*"))) == 5


def test_a_difference_is_shown_without_secrets(installation: Installation) -> None:
    (installation.root / ".env").write_text("LLM_API_KEY=old-and-secret\nHTTP_PORT=80\n")
    before = installation.files()
    document = {"llm": {"api_key": "new-and-secret"}, "nginx": {"http_port": 8090}}
    done = installation.apply(document, "--diff")
    assert done.returncode == 0
    assert "-HTTP_PORT=80\n+HTTP_PORT=8090" in done.stdout
    assert "secret" not in done.stdout.replace("a secret changes", "")
    only = installation.apply({"llm": {"api_key": "new-and-secret"}}, "--diff")
    assert "a secret changes" in only.stdout
    assert installation.files() == before


INVALID: dict[str, tuple[object, str]] = {
    "no JSON": ('{"llm": {"model": "x",}}', "line 1, column"),
    "no object": ("[]", "JSON object"),
    "a key twice": ('{"llm": {}, "llm": {}}', "llm: stands twice"),
    "an unknown section": ({"lllm": {}}, "lllm: there is no such setting; did you mean llm?"),
    "an unknown key": (
        {"llm": {"api_uri": "x"}},
        "llm.api_uri: there is no such setting; did you mean api_url?",
    ),
    "a section that is a value": ({"llm": 3}, "llm: has to be an object"),
    "a wrong type": ({"nginx": {"enabled": "yes please"}}, "nginx.enabled: has to be true or"),
    "an unknown deployment": ({"deployment": {"type": "swarm"}}, "deployment.type: has to be"),
    "an address without scheme": ({"llm": {"api_url": "10.0.0.5:80"}}, "llm.api_url: has to be an"),
    "an upstream without a model": (
        {"llm": {"api_url": "http://10.0.0.5/v1", "api_key": "x"}},
        "llm.model: has to be given",
    ),
    "a port that is none": ({"nginx": {"http_port": 70000}}, "nginx.http_port: "),
    "half a certificate": (
        {"nginx": {"tls": {"key": "k.pem"}}},
        "nginx.tls.certificate: is missing",
    ),
    "a certificate behind another nginx": (
        {"nginx": {"enabled": False, "tls": {"key": "k", "certificate": "c"}}},
        "nginx.tls: ",
    ),
    "two lines in a value": ({"llm": {"api_key": "a\nSECRET_KEY=b"}}, "llm.api_key: "),
    "a name that is none": ({"environment": {"http port": 1}}, "environment.http port: names"),
    "a setting twice": (
        {"nginx": {"http_port": 80}, "environment": {"HTTP_PORT": 81}},
        "environment.HTTP_PORT: is set by nginx.http_port too",
    ),
    "what a service refuses": (
        {"environment": {"PASSWORD_MIN_LENGTH": 3}},
        "environment.PASSWORD_MIN_LENGTH: ",
    ),
    "what compose would replace": ({"llm": {"api_key": "'$HOME\""}}, "LLM_API_KEY: "),
}


@pytest.mark.parametrize("what", INVALID)
def test_a_mistake_is_named_with_its_path(what: str, installation: Installation) -> None:
    document, message = INVALID[what]
    (installation.root / ".env").write_text("HTTP_PORT=80\n")
    before = installation.files()
    done = installation.apply(document)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert installation.files() == before


def test_every_mistake_is_named_at_once(installation: Installation) -> None:
    done = installation.apply({"nginx": {"http_port": 0}, "llm": {"modell": "x"}, "more": 1})
    for path in ("nginx.http_port", "llm.modell", "more"):
        assert f"  {path}: " in done.stderr


def test_behind_an_nginx_of_ones_own(installation: Installation, tmp_path: Path) -> None:
    document: dict[str, Any] = {"nginx": {"enabled": False, "server_name": "atoll.example"}}
    assert installation.apply(document).returncode == 0
    assert installation.env["HTTP_BIND"] == "127.0.0.1"
    assert installation.env["HTTP_PORT"] == "8080"
    assert "127.0.0.1" in installation.env["TRUSTED_PROXIES"].split()
    site = installation.root / "nginx" / "site.conf"
    main = tmp_path / "nginx.conf"
    main.write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; "
        f"include '{site}'; }}"
    )
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert nginx
    done = subprocess.run(
        [nginx, "-t", "-e", "stderr", "-c", main], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "server_name atoll.example;" in site.read_text()
    # And back: the gateway is the public door again.
    assert installation.apply({"nginx": {"enabled": True}}).returncode == 0
    assert not site.exists()
    assert installation.env == {}


def test_a_site_file_of_somebody_else_stays(installation: Installation) -> None:
    site = installation.root / "nginx" / "site.conf"
    site.parent.mkdir()
    site.write_text("# mine\n")
    done = installation.apply({"nginx": {"enabled": False}})
    assert done.returncode == 0
    assert "warning: nginx/site.conf: " in done.stderr
    assert site.read_text() == "# mine\n"


def test_overrides_become_compose_files(installation: Installation) -> None:
    root = installation.root
    tls = {"certificate": "certs/chain.pem", "key": "certs/key.pem"}
    document = {"deployment": {"gpu": True}, "nginx": {"tls": tls}}
    assert installation.apply(document).returncode == 0
    assert installation.env["COMPOSE_FILE"].split(":") == [
        f"{root}/docker-compose.yml",
        f"{root}/deployment/docker/compose.gpu.yml",
        f"{root}/deployment/docker/compose.tls.yml",
    ]
    assert installation.env["TLS_CERTIFICATE"] == "certs/chain.pem"
    assert installation.env["HTTPS_PORT"] == "443"
    assert installation.apply({"nginx": {"tls": None}}).returncode == 0
    assert installation.env == {
        "COMPOSE_FILE": f"{root}/docker-compose.yml:{root}/deployment/docker/compose.gpu.yml"
    }


def test_compose_files_of_the_operator_stay() -> None:
    mine = "/a/docker-compose.yml:/a/mine.yml"
    assert compose_files(mine, {"gpu": False}, "/a", False) == mine
    added = compose_files(mine, {"gpu": True}, "/a", False)
    assert added == f"{mine}:/a/deployment/docker/compose.gpu.yml"
    assert compose_files(added, {"gpu": False}, "/moved", False) == mine
    assert compose_files(None, {"gpu": False}, "/a", True) is None
    in_clone = compose_files(None, {"gpu": True}, "/a", True)
    assert in_clone is not None
    assert [Path(file).name for file in in_clone.split(":")] == [
        "docker-compose.yml",
        "docker-compose.override.yml",
        "compose.gpu.yml",
        "compose.gpu-build.yml",
    ]
    assert compose_files(in_clone, {"gpu": False}, "/a", True) == (
        "/a/docker-compose.yml:/a/docker-compose.override.yml"
    )


def test_no_value_reaches_another_variable() -> None:
    for value in ("a b", "#", "$HOME", "${X}", "a'b", 'a"b', "é 中文", " spaces ", "a#b", "a\\b"):
        try:
            text = changed("OTHER=1\n", {"LLM_API_KEY": value})
        except ConfigProblem:
            assert set(value) & set("'\\")
            continue
        assert read(text) == {"OTHER": "1", "LLM_API_KEY": value}
    with pytest.raises(ConfigProblem, match="several lines"):
        changed("LLM_API_KEY='a\nb'\n", {"LLM_API_KEY": "x"})


def test_the_schema_in_the_repository_is_that_of_the_code() -> None:
    schema = json_schema()
    assert (REPOSITORY / "deployment-config.schema.json").read_text() == schema
    validator = jsonschema.Draft202012Validator(json.loads(schema))
    validator.check_schema(json.loads(schema))
    for document in (FAMILIAR, json.loads(EXAMPLE.read_text())):
        validator.validate(document)
        assert wanted(parse(json.dumps(document))).variables
    assert not validator.is_valid({"llm": {"api_uri": "x"}})


def test_arguments_that_are_wrong(installation: Installation, tmp_path: Path) -> None:
    script = installation.root / "apply-config.sh"
    for arguments in ([], ["absent.json"], ["--nonsense"], [script, script]):
        done = subprocess.run(
            ["bash", script, *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert done.stderr
