"""render.sh: what it accepts, what it writes, and that nginx has no complaint."""

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from .edge import Gateway, free_port


@pytest.fixture
def unstarted(tmp_path: Path) -> Gateway:
    """A gateway that is only rendered."""
    root = tmp_path / "dist"
    root.mkdir()
    return Gateway(tmp_path / "run", free_port(), free_port(), root, {})


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1 ::1"},
        {"GATEWAY_RESOLVER": "127.0.0.11", "CHAT_BACKEND_ADDRESS": "chat-backend:8000"},
        {"GATEWAY_SITES": "gateway", "FRONTEND_ADDRESS": "frontend:3000"},
        {"GATEWAY_SITES": "frontend", "INTERNAL_TOKEN": ""},
        {"LOGIN_RATE_PER_MINUTE": "600", "LOGIN_BURST": "1"},
        {"GATEWAY_ACCESS_LOG": "off"},
        {"METRICS_LISTEN": "127.0.0.1:9145"},
    ],
)
def test_nginx_accepts_it_without_a_warning(unstarted: Gateway, settings: dict[str, str]) -> None:
    unstarted.settings.update(settings)
    assert unstarted.render().returncode == 0
    if "frontend" in settings.get("FRONTEND_ADDRESS", ""):
        # Without a resolver nginx looks the name up when it starts.
        unstarted.settings["FRONTEND_ADDRESS"] = "localhost:3000"
        assert unstarted.render().returncode == 0
    tested = subprocess.run([*unstarted.command, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    assert "warn" not in tested.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INTERNAL_TOKEN", ""),
        ("INTERNAL_TOKEN", "short"),
        ("INTERNAL_TOKEN", 'a"; return 200; #' + "a" * 40),
        ("TRUSTED_PROXIES", "10.0.0.0/8; deny all"),
        ("TRUSTED_PROXIES", "proxy.example"),
        ("GATEWAY_LISTEN", "8080; listen 9090"),
        ("CHAT_BACKEND_ADDRESS", "127.0.0.1"),
        ("FRONTEND_ROOT", "relative/dist"),
        ("FRONTEND_ROOT", '/a"b'),
        ("GATEWAY_RUN_DIR", "/with space"),
        ("LOGIN_RATE_PER_MINUTE", "0"),
        ("GATEWAY_SITES", "other"),
    ],
)
def test_a_bad_value_is_named_and_nothing_is_written(
    unstarted: Gateway, name: str, value: str
) -> None:
    unstarted.settings[name] = value
    refused = unstarted.render()
    assert refused.returncode == 2
    assert name in refused.stderr
    assert not (unstarted.directory / "nginx").exists()
    if name == "INTERNAL_TOKEN" and value:
        assert value not in refused.stderr


def test_a_refused_change_leaves_the_last_good_files(unstarted: Gateway) -> None:
    assert unstarted.render().returncode == 0
    before = (unstarted.directory / "nginx/sites/gateway.conf").read_text()
    unstarted.settings["GATEWAY_LISTEN"] = "nonsense"
    assert unstarted.render().returncode == 2
    assert (unstarted.directory / "nginx/sites/gateway.conf").read_text() == before


def test_only_the_owner_can_read_the_token(unstarted: Gateway) -> None:
    assert unstarted.render().returncode == 0
    for path in (unstarted.directory / "nginx").rglob("*"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_every_variable_of_the_templates_is_rendered(unstarted: Gateway) -> None:
    assert unstarted.render().returncode == 0
    for path in (unstarted.directory / "nginx").rglob("*.conf"):
        code = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        assert "${" not in "\n".join(code), path


def test_locations_add_no_header_without_the_security_headers(unstarted: Gateway) -> None:
    """One `add_header` in a location drops all of the server's."""
    assert unstarted.render().returncode == 0
    for path in (unstarted.directory / "nginx/includes").glob("*.conf"):
        if path.name == "security-headers.conf":
            continue
        for block in path.read_text().split("location ")[1:]:
            if "add_header" in block:
                assert "include includes/security-headers.conf;" in block, path


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shell_scripts_are_clean(repository: Path) -> None:
    scripts = [
        repository / "start.sh",
        repository / "services/gateway/render.sh",
        *sorted((repository / "deployment/local").glob("*.sh")),
    ]
    checked = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_with_tls_the_plain_port_only_leads_there(unstarted: Gateway, tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "deployment" / "docker" / "make-certificate.sh"
    subprocess.run(["bash", str(script), "--out", str(tmp_path), "localhost"], check=True)
    unstarted.settings |= {
        "GATEWAY_TLS_LISTEN": f"127.0.0.1:{free_port()}",
        "GATEWAY_TLS_CERTIFICATE": str(tmp_path / "certificate.pem"),
        "GATEWAY_TLS_KEY": str(tmp_path / "key.pem"),
        "GATEWAY_TLS_PUBLIC_PORT": "8443",
    }
    assert unstarted.render().returncode == 0
    tested = subprocess.run([*unstarted.command, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    [site] = unstarted.directory.rglob("gateway-tls.conf")
    assert "return 308 https://$host:8443$request_uri;" in site.read_text()
    assert not list(unstarted.directory.rglob("gateway.conf"))
    unstarted.settings["GATEWAY_TLS_KEY"] = "key; evil"
    assert unstarted.render().returncode == 2
