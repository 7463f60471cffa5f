"""`docker compose up` in a clone: it builds, fills an empty models folder, starts and answers."""

import json
import os
import re
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from playwright.sync_api import expect

from atoll_chat.settings import Settings as ChatSettings
from atoll_inference.settings import Settings as InferenceSettings
from tests.e2e.browser import Visit, chromium
from tests.e2e.person import Person
from tests.e2e.stack import CAPITAL

from .deployment import ONE_SHOTS, RUNNING, Clone, Deployment
from .images import BASE, ROOT, SERVICES, inspect, run, size

MB = 1_000_000
QUESTION: Any = [{"role": "user", "content": CAPITAL}]


# --- it answers ---------------------------------------------------------------------------------


def test_a_newcomer_chats_in_a_browser(clone: Clone, admin: Person) -> None:
    with chromium() as browser:
        visit = Visit(browser, clone.url)
        page = visit.page
        page.goto("/login")
        page.get_by_role("link", name=re.compile("Create|Register", re.I)).click()
        page.get_by_label("Username").fill("newcomer")
        page.get_by_label("Password", exact=True).fill("a newcomer's password")
        confirm = page.get_by_label(re.compile("Repeat|Confirm", re.I))
        if confirm.count():
            confirm.fill("a newcomer's password")
        page.get_by_role("button", name="Create account").click()
        expect(page).to_have_url(re.compile(r"/chat"))
        visit.ask(CAPITAL)
        expect(visit.answer()).to_contain_text("Paris", timeout=60_000)
        expect(visit.answer()).to_have_attribute("data-status", "complete", timeout=60_000)
        visit.clean()


def test_a_program_chats_by_the_openai_sdk(clone: Clone, admin: Person) -> None:
    with openai.OpenAI(base_url=f"{clone.url}/v1", api_key=admin.api_key(), timeout=60) as sdk:
        answer = sdk.chat.completions.create(model="default", messages=QUESTION)
    assert "Paris" in (answer.choices[0].message.content or "")


def test_the_selftest_in_the_container_asks_the_model(clone: Clone) -> None:
    assert "Paris" in clone.exec("chat-backend", "atoll-chat", "selftest")


def test_the_starter_models_fill_an_empty_folder_alone(clone: Clone) -> None:
    models = Path(clone.settings["MODELS_DIR"])
    slots = {path.name for path in models.iterdir()}
    assert {"chat", "text_embedding", "ocr", "speech_recognition", "emotion_detection"} <= slots
    [weights] = models.glob("chat/*/*.gguf")
    before = weights.stat().st_mtime_ns
    # An operator's folder is never touched again.
    (models / "ocr").rename(models / "elsewhere")
    try:
        assert "nothing to do" in clone.compose("run", "--rm", "-T", "starter-models")
        assert not (models / "ocr").exists()
    finally:
        (models / "elsewhere").rename(models / "ocr")
    assert weights.stat().st_mtime_ns == before


def test_an_empty_slot_says_why(admin: Person) -> None:
    slots = {slot["slot"]: slot for slot in admin.http.get("/api/slots").json()["slots"]}
    assert slots["emotion_detection"]["models"]
    assert slots["face_deepfake"]["models"] == []
    assert slots["face_deepfake"]["note"]
    assert slots["chat"]["models"][0]["has_card"]


def test_up_on_a_running_stack_changes_nothing(clone: Clone) -> None:
    before = [clone.container(name) for name in RUNNING]
    assert not re.search(r"error|fail", clone.up(), re.I)
    assert [clone.container(name) for name in RUNNING] == before
    assert "nothing to do" in clone.compose("logs", "--tail=1", "migrate")


# --- it is hardened -----------------------------------------------------------------------------


@pytest.mark.parametrize("service", [*RUNNING, *ONE_SHOTS, "starter-models"])
def test_a_container_can_do_little(clone: Clone, service: str) -> None:
    found = clone.inspect(service)
    host = found["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert not host["Privileged"]
    assert 0 < host["PidsLimit"] <= 2048
    assert host["Memory"] > 0
    assert host["CpuQuota"] > 0
    assert host["LogConfig"]["Config"] == {"max-size": "20m", "max-file": "5"}
    if service in RUNNING:
        assert found["Config"]["User"] == "10001:10001"
        assert host["CapAdd"] is None
        assert host["RestartPolicy"]["Name"] == "unless-stopped"
        assert found["Config"]["Healthcheck"]["Test"][0] == "CMD"
        assert found["State"]["Health"]["Status"] == "healthy"
        assert 15 <= found["Config"]["StopTimeout"] <= 20
    else:
        # They end, and until then they see no network.
        assert host["NetworkMode"] == "none"
        assert (found["State"]["Status"], found["State"]["ExitCode"]) == ("exited", 0)
    writable = [m["Destination"] for m in found["Mounts"] if m["RW"]]
    assert set(writable) <= {"/data", *(["/models"] if service == "starter-models" else [])}


def test_only_the_gateway_is_published(clone: Clone) -> None:
    published = {name: clone.inspect(name)["HostConfig"]["PortBindings"] for name in RUNNING}
    assert published.pop("gateway") == {
        "8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(clone.port)}]
    }
    assert not any(published.values())


def test_networks_lead_to_nothing_but_the_neighbours(clone: Clone) -> None:
    joined = {
        name: {key.removeprefix(f"{clone.project}_") for key in networks}
        for name in RUNNING
        for networks in [clone.inspect(name)["NetworkSettings"]["Networks"]]
    }
    assert joined == {
        "gateway": {"public", "pages", "services"},
        "frontend": {"pages"},
        "chat-backend": {"services", "outbound"},
        "inference": {"services"},
    }
    for network in ("pages", "services"):
        name = f"{clone.project}_{network}"
        assert run("docker", "network", "inspect", "-f", "{{.Internal}}", name).strip() == "true"
    # Neither the models nor the public door have a way out, by name or by address.
    probe = "import socket; socket.create_connection(('192.0.2.1', 80), 3)"
    assert "unreachable" in clone.exec("inference", "python", "-c", probe, check=False)
    reached = "exec 3<>/dev/tcp/192.0.2.1/80"
    failed = clone.exec("gateway", "timeout", "3", "bash", "-c", reached, check=False)
    assert "exit status" in failed or failed == "" or "unreachable" in failed


def test_services_refuse_who_does_not_come_through_a_route(clone: Clone, admin: Person) -> None:
    ask = "from http.client import *; c = HTTPConnection('{}', {}); c.request('GET', '{}'); "
    ask += "print(c.getresponse().status)"
    for path in ("/v1/models", "/v2/repository/index", "/metrics"):
        asked = clone.exec("chat-backend", "python", "-c", ask.format("inference", 8085, path))
        assert asked.strip() in ("401", "404", "405"), path
    for path in ("/internal/authorize", "/metrics", "/internal/usage"):
        assert httpx.get(clone.url + path).status_code == 404
    # The front end's container cannot even see the other two.
    for name in ("chat-backend", "inference"):
        assert clone.exec("frontend", "getent", "hosts", name, check=False).strip() in (
            "",
            "exit status 2",
        )


def test_no_secret_is_in_an_image_or_in_what_docker_tells(clone: Clone) -> None:
    folder = Path(clone.settings["DATA_DIR"]) / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    secrets = {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}
    assert set(secrets) == {"secret_key", "internal_token"}
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in secrets.values())
    for service in (*RUNNING, *ONE_SHOTS):
        told = json.dumps(clone.inspect(service))
        assert not any(value in told for value in secrets.values()), service
    # A password that an operator wrote into .env is known to the one service that asks for it.
    password = clone.settings["ADMIN_PASSWORD"]
    told_to = {
        name for name in (*RUNNING, *ONE_SHOTS) if password in json.dumps(clone.inspect(name))
    }
    assert told_to == {"chat-backend"}
    seen = clone.exec("inference", "ls", "/run/secrets").split()
    assert seen == ["internal_token"]
    assert clone.exec("gateway", "ls", "/run/secrets").split() == ["internal_token"]
    for name in SERVICES:
        history = run("docker", "history", "--no-trunc", f"atoll/{name}:{release_of(clone)}")
        assert not re.search(r"BEGIN|PASSWORD|TOKEN=|SECRET_KEY", history), name


def test_a_name_that_docker_does_not_know_is_asked_of_nobody(clone: Clone) -> None:
    # What a resolver of the host would be asked for while a service is created again.
    assert clone.inspect("gateway")["HostConfig"]["Dns"] == ["127.0.0.1"]


def test_health_checks_leave_no_trace_in_the_log(clone: Clone) -> None:
    asked = clone.inspect("gateway")["State"]["Health"]["Log"]
    assert asked[-1]["ExitCode"] == 0
    assert httpx.get(f"{clone.url}/internal").status_code == 404
    paths = [
        line for line in clone.compose("logs", "gateway").splitlines() if '"/internal"' in line
    ]
    # The one from outside.
    assert len(paths) == 1


def test_stopping_is_graceful(clone: Clone) -> None:
    clone.compose("stop")
    states = {name: clone.inspect(name)["State"] for name in RUNNING}
    clone.up()
    # By itself or by the signal that it was sent; 137 would be the end of Docker's patience.
    assert {state["ExitCode"] for state in states.values()} <= {0, 128 + signal.SIGTERM}
    # In the order in which nobody is sent to a service that has ended.
    ends = [states[name]["FinishedAt"] for name in ("gateway", "inference", "chat-backend")]
    assert ends == sorted(ends)


# --- its images are small -----------------------------------------------------------------------


def release_of(stack: Deployment) -> str:
    return stack.settings["ATOLL_RELEASE"]


def test_images_are_small(release: str) -> None:
    sizes = {name: size(f"atoll/{name}:{release}") for name in SERVICES}
    print(sizes, size(BASE))
    assert sizes["gateway"] - size(BASE) <= 60 * MB
    assert sizes["frontend"] - size(BASE) <= 60 * MB
    assert sizes["chat-backend"] <= 300 * MB
    assert sizes["inference"] <= 2500 * MB


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_holds_no_tools_tests_or_caches(release: str, service: str) -> None:
    script = """
        for tool in gcc cc c++ make pip npm node git curl wget; do command -v $tool; done
        find / -xdev \\( -path /proc -o -path /sys \\) -prune -o -type d \\
            \\( -name tests -o -name node_modules -o -name .cache -o -name __pypackages__ \\) -print
        find /var/lib/apt/lists /var/cache /root -type f \\
            ! -name '.*rc' ! -name .profile ! -name aux-cache
        find / -xdev -name '*.env' -o -xdev -name '.env*'
        true
    """
    image = f"atoll/{service}:{release}"
    found = run(
        *("docker", "run", "--rm", "--network", "none", "--user", "0", "--entrypoint", "sh"),
        *(image, "-c", script),
    )
    assert found.strip() == ""
    assert inspect(image, "{{.Config.User}}") == "10001:10001"
    assert inspect(image, "{{.Config.Healthcheck.Test}}") not in ("", "[]", "<nil>")


# --- its settings -------------------------------------------------------------------------------


def rendered(*files: str, cwd: Path = ROOT, **settings: str) -> dict[str, Any]:
    """What compose makes of its files and settings."""
    chosen = [part for file in files for part in ("--file", file)]
    output = run("docker", "compose", *chosen, "config", "--format", "json", cwd=cwd, more=settings)
    found: dict[str, Any] = json.loads(output)
    return found


def test_every_setting_reaches_the_service_that_has_it() -> None:
    services = rendered("docker-compose.yml")["services"]
    # Addresses inside are fixed; secrets come as files.
    fixed = {"CHAT_BACKEND_HOST", "CHAT_BACKEND_PORT", "INFERENCE_HOST", "INFERENCE_PORT"}
    fixed |= {"SECRET_KEY", "INTERNAL_TOKEN", "MODEL_CATALOG"}
    for service, settings in (("chat-backend", ChatSettings), ("inference", InferenceSettings)):
        named = set(services[service]["environment"])
        assert {name.upper() for name in settings.model_fields} - named - fixed == set(), service


def test_the_offline_file_neither_pulls_nor_builds() -> None:
    for name, service in rendered("docker-compose.yml")["services"].items():
        assert service["pull_policy"] == "never", name
        assert "build" not in service, name


def test_the_configuration_is_the_same_from_both_places(tmp_path: Path) -> None:
    target = Deployment(tmp_path, "atoll", "1.2.3", HTTP_PORT="8123").install()
    folders = (tmp_path, tmp_path / "deployment" / "docker")
    for overrides in ((), ("tls",), ("host-network",), ("gpu",), ("monitoring",)):
        if overrides:
            target.use(*overrides)
        first, second = (rendered(cwd=folder) for folder in folders)
        assert first == second, overrides
        assert first["services"]["gateway"]["image"] == "atoll/gateway:1.2.3"
    # Whoever writes .env in deployment/docker, as older guides say, writes the one that counts.
    (folders[1] / ".env").write_text("HTTP_PORT=8124\n")
    assert (tmp_path / ".env").read_text() == "HTTP_PORT=8124\n"
    assert rendered(cwd=tmp_path)["services"]["gateway"]["ports"][0]["published"] == "8124"


def test_without_settings_the_port_is_80() -> None:
    [port] = rendered("docker-compose.yml")["services"]["gateway"]["ports"]
    assert (port["published"], port["target"]) == ("80", 8080)
    [port] = rendered("docker-compose.yml", PORT="8090")["services"]["gateway"]["ports"]
    assert port["published"] == "8090"


# --- what can be wrong with the data folder -----------------------------------------------------


@pytest.fixture
def target(tmp_path: Path, release: str) -> Iterator[Deployment]:
    """An installation that is never started as a whole."""
    with Deployment(tmp_path, f"atoll-target-{os.getpid()}", release) as stack:
        yield stack.install()


def prepare(target: Deployment, *, check: bool = True) -> str:
    """Run the one-shot that looks after the data folder."""
    return target.compose("run", "--rm", "--no-deps", "-T", "prepare", check=check)


def test_a_data_folder_of_somebody_else_is_refused_with_the_remedy(target: Deployment) -> None:
    data = target.folder / "data"
    data.mkdir()
    (data / "db").mkdir()
    (data / "db" / "conversation.db").write_text("")
    refused = prepare(target, check=False)
    assert "./data cannot be written by the user 10001:10001" in refused
    [remedy] = re.findall(r"sudo (chown -R \S+) ./data", refused)
    run(*remedy.split(), data)
    assert "is ready for the user 10001:10001" in prepare(target)
    # One file is enough.
    (data / "db" / "conversation.db").chmod(0o600)
    run("chown", "0:0", data / "db" / "conversation.db")
    assert "./data/db/conversation.db cannot be written" in prepare(target, check=False)


def test_another_user_by_number(target: Deployment) -> None:
    target.write_settings(ATOLL_UID="4711", ATOLL_GID="4712")
    assert "is ready for the user 4711:4712" in prepare(target)
    made = (target.folder / "data" / "secrets" / "secret_key").stat()
    assert (made.st_uid, made.st_gid, stat.S_IMODE(made.st_mode)) == (4711, 4712, 0o600)


def test_secrets_are_made_once_and_taken_over(target: Deployment) -> None:
    data = target.folder / "data"
    data.mkdir()
    before = "0123456789abcdef" * 4
    (data / "secrets.env").write_text(f"# made by host processes\nSECRET_KEY={before}\n")
    run("chown", "-R", "10001:10001", data)
    prepare(target)
    secrets = data / "secrets"
    token = (secrets / "internal_token").read_text()
    assert (secrets / "secret_key").read_text() == before
    prepare(target)
    assert (secrets / "internal_token").read_text() == token
    target.write_settings(INTERNAL_TOKEN=before[::-1])
    prepare(target)
    assert (secrets / "internal_token").read_text() == before[::-1]


def test_two_names_of_the_port_must_agree(target: Deployment) -> None:
    target.write_settings(PORT="1")
    assert "PORT=1 and HTTP_PORT=" in prepare(target, check=False)


def test_a_failed_migration_starts_nothing(target: Deployment) -> None:
    database = target.folder / "data" / "db" / "conversation.db"
    prepare(target)
    database.parent.mkdir()
    database.write_text("no database")
    run("chown", "-R", "10001:10001", database.parent)
    target.up("chat-backend", check=False)
    assert "is no database of the chat backend" in target.compose("logs", "migrate")
    assert target.inspect("chat-backend")["State"]["Status"] == "created"


def test_weak_secrets_are_refused_by_name(target: Deployment) -> None:
    target.write_settings(SECRET_KEY="changeme")
    prepare(target)
    refused = target.compose("run", "--rm", "--no-deps", "-T", "migrate", check=False)
    assert "SECRET_KEY: needs at least 32 random characters" in refused


def test_a_missing_image_is_not_fetched(target: Deployment) -> None:
    target.write_settings(ATOLL_RELEASE="9.9.9")
    assert "No such image: atoll/" in target.compose("up", "--detach", check=False)


def test_a_checkpoint_elsewhere_on_the_host_is_mounted_read_only() -> None:
    inference = rendered(
        "docker-compose.yml", MODEL_PATH="/srv/models/vlm", MODEL_PATH_IN_CONTAINER="/model/vlm"
    )["services"]["inference"]
    assert inference["environment"]["MODEL_PATH"] == "/model/vlm"
    [mount] = [volume for volume in inference["volumes"] if volume["source"] == "/srv/models/vlm"]
    assert (mount["target"], mount["read_only"]) == ("/model/vlm", True)
    without = rendered("docker-compose.yml")["services"]["inference"]
    assert without["environment"]["MODEL_PATH"] == ""
