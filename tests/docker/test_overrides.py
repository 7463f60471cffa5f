"""What COMPOSE_FILE can add: TLS, the host's network, monitoring. Each really runs."""

import json
import os
import socket
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.e2e.stack import free_ports

from .deployment import Clone, Deployment, wait_until
from .images import ROOT, run

MAKE = ROOT / "deployment" / "docker" / "make-certificate.sh"


@pytest.fixture
def target(tmp_path: Path, release: str, clone: Clone) -> Iterator[Deployment]:
    """An installation with the models of the clone."""
    project = f"atoll-over-{os.getpid()}"
    settings = {"MODELS_DIR": clone.settings["MODELS_DIR"]}
    with Deployment(tmp_path, project, release, **settings) as stack:
        yield stack.install()


# --- TLS ----------------------------------------------------------------------------------------


def test_tls_with_a_certificate_of_our_own_making(target: Deployment) -> None:
    https = free_ports(1)[0]
    run("bash", MAKE, "localhost", "127.0.0.1", cwd=target.folder)
    target.use("tls")
    target.write_settings(HTTPS_PORT=str(https), PRELOAD="none")
    target.up()
    trusted = ssl.create_default_context(cafile=str(target.folder / "certificates" / "ca.pem"))
    with httpx.Client(base_url=f"https://127.0.0.1:{https}", verify=trusted) as client:
        assert client.get("/api/health").status_code == 200
        page = client.get("/")
        assert "<title>" in page.text
        assert page.headers["Strict-Transport-Security"] == "max-age=63072000"
        assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")
        name = {"username": "admin", "password": target.settings["ADMIN_PASSWORD"]}
        cookie = client.post("/api/auth/login", json=name).headers["set-cookie"]
        assert "Secure" in cookie
    away = httpx.post(f"{target.url}/api/auth/login?next=1", json={})
    assert away.status_code == 308
    assert away.headers["location"] == f"https://127.0.0.1:{https}/api/auth/login?next=1"
    assert protocols(https, trusted) == {"TLSv1.2", "TLSv1.3"}
    # The key stays out of sight of everybody but the gateway.
    look = ("find", "/", "-name", "key.pem")
    assert "/run/tls/key.pem" in target.exec("gateway", *look, check=False)
    assert "key.pem" not in target.exec("chat-backend", *look, check=False)


def protocols(port: int, trusted: ssl.SSLContext) -> set[str]:
    """The versions of TLS that a port speaks."""
    spoken = set()
    # So that it is the gateway who refuses old versions, and not this client.
    trusted.set_ciphers("DEFAULT:@SECLEVEL=0")
    for version in ssl.TLSVersion:
        if version.value < ssl.TLSVersion.TLSv1.value:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # asking for old ones
                trusted.minimum_version = ssl.TLSVersion.TLSv1
                trusted.maximum_version = version
                trusted.minimum_version = version
            with (
                socket.create_connection(("127.0.0.1", port), 5) as link,
                trusted.wrap_socket(link, server_hostname="127.0.0.1") as wrapped,
            ):
                spoken.add(str(wrapped.version()))
        except (ssl.SSLError, OSError, ValueError):
            continue
    return spoken


def test_a_certificate_and_a_key_that_do_not_match_are_named(target: Deployment) -> None:
    for folder in ("one", "two"):
        run("bash", MAKE, "--out", folder, "localhost", cwd=target.folder)
    target.use("tls")
    target.write_settings(TLS_CERTIFICATE="./one/certificate.pem", TLS_KEY="./two/key.pem")
    said = target.compose("run", "--rm", "--no-deps", "-T", "prepare", check=False)
    assert "TLS_CERTIFICATE and TLS_KEY cannot be used together: " in said
    assert "key values mismatch" in said.lower()


def test_a_renewed_certificate_keeps_its_authority(tmp_path: Path) -> None:
    run("bash", MAKE, "--days", "30", "atoll.example", cwd=tmp_path)
    folder = tmp_path / "certificates"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(before) == {"ca.pem", "ca-key.pem", "certificate.pem", "key.pem"}
    assert all((folder / n).stat().st_mode & 0o077 == 0 for n in ("ca-key.pem", "key.pem"))
    run("bash", MAKE, "--out", folder, "atoll.example", "10.0.0.5", "fd00::5", cwd=tmp_path)
    assert (folder / "ca.pem").read_bytes() == before["ca.pem"]
    assert (folder / "key.pem").read_bytes() != before["key.pem"]
    shown = run("openssl", "x509", "-noout", "-text", "-in", folder / "certificate.pem")
    assert "DNS:atoll.example, IP Address:10.0.0.5, IP Address:FD00:" in shown
    run("openssl", "verify", "-CAfile", folder / "ca.pem", folder / "certificate.pem")
    for wrong in ((), ("--days", "x", "a"), ("--nonsense",), ("a b",)):
        assert "make-certificate: " in run("bash", MAKE, *wrong, cwd=tmp_path, check=False)


# --- the host's network -------------------------------------------------------------------------


def test_on_the_hosts_network_only_the_gateway_listens_outside(target: Deployment) -> None:
    names = ("CHAT_BACKEND_PORT", "INFERENCE_PORT", "FRONTEND_PORT")
    ports = dict(zip(names, free_ports(3), strict=True))
    target.use("host-network")
    target.write_settings(
        HTTP_BIND="0.0.0.0",
        PRELOAD="none",
        **{name: str(port) for name, port in ports.items()},
    )
    target.up()
    assert "<title>" in httpx.get(target.url).text
    assert httpx.get(f"{target.url}/api/health").status_code == 200
    assert httpx.get(f"{target.url}/v2/health/ready").status_code == 200
    sockets: list[Any] = psutil.net_connections("inet")
    listening = {(s.laddr.port, s.laddr.ip) for s in sockets if s.status == psutil.CONN_LISTEN}
    for port in ports.values():
        assert {one for one in listening if one[0] == port} == {(port, "127.0.0.1")}
    assert (target.port, "0.0.0.0") in listening


# --- monitoring ---------------------------------------------------------------------------------


def test_prometheus_collects_from_both_services(target: Deployment) -> None:
    port = free_ports(1)[0]
    target.use("monitoring", "monitoring-build")
    target.write_settings(METRICS_PORT=str(port), PRELOAD="none")
    target.compose("build", "--quiet", "prometheus", timeout=900)
    target.up()
    base = f"http://127.0.0.1:{port}/api/v1"

    def both_are_up() -> bool:
        try:
            found = httpx.get(f"{base}/query", params={"query": "up"}).json()["data"]["result"]
        except (httpx.HTTPError, json.JSONDecodeError, KeyError):
            return False
        return sorted((one["metric"]["job"], one["value"][1]) for one in found) == [
            ("chat-backend", "1"),
            ("inference", "1"),
        ]

    wait_until("two targets that are up", both_are_up, 60)
    names = httpx.get(f"{base}/label/__name__/values").json()["data"]
    assert "http_requests_total" in names
    # They stay hidden from outside.
    assert httpx.get(f"{target.url}/metrics").status_code == 404
