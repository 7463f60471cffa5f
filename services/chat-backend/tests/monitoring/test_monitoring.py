"""What the service says about itself is what a probe finds."""

from pathlib import Path

import httpx
from chat_fixtures import Browser
from chat_process import ChatProcess
from fake_openai import FakeServer


async def test_health_needs_the_database_and_its_lock(ada: Browser, chat) -> None:
    well = await ada.http.get("/api/health", headers={"Cookie": ""})
    assert (well.status_code, well.json()) == (200, {"status": "ok"})
    (chat.settings.database_path.parent / ".writer.lock").unlink()
    refused = await ada.http.get("/api/health")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "database_unavailable")


async def test_config_is_open(chat) -> None:
    answer = await chat.client().get("/api/config")
    assert answer.json() == {
        "version": "0.1.0",
        "registration": "open",
        "password_min_length": chat.settings.password_min_length,
        "max_message_chars": chat.settings.max_message_chars,
    }


def test_status_tells_the_parts_to_those_signed_in(tmp_path: Path, fake: FakeServer) -> None:
    with ChatProcess(tmp_path, fake.url) as server:
        headers = server.user()
        with httpx.Client(base_url=server.url, trust_env=False, verify=False, timeout=30) as client:
            assert client.get("/api/status").json() == {"status": "ok"}
            full = client.get("/api/status", headers=headers).json()
            assert full["status"] == "ok"
            assert [(s["name"], s["status"]) for s in full["services"]] == [
                ("database", "ok"),
                ("inference", "ok"),
            ]
            assert full["models"][0]["id"] == "fake-small"
            fake.stop()
            while (full := client.get("/api/status", headers=headers).json())["status"] == "ok":
                pass
            assert [(s["name"], s["status"]) for s in full["services"]] == [
                ("database", "ok"),
                ("inference", "down"),
            ]
            # Nobody without a credential learns which part it is.
            assert client.get("/api/status").json() == {"status": "degraded"}
            wrong = {"Authorization": "Bearer sk-atoll-nonsense"}
            assert client.get("/api/status", headers=wrong).json() == {"status": "degraded"}
