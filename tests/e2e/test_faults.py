"""What goes wrong in use: overload, dying processes, slow and absent peers, missing weights."""

import concurrent.futures
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from .conftest import NewPerson
from .person import Person, first_admin, new_user
from .stack import CAPITAL, MODELS, STORY, Stack, wait_for


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose processes are killed by the tests of this module."""
    data = tmp_path_factory.mktemp("fragile") / "data"
    with Stack(
        data,
        REGISTRATION="open",
        LOGIN_RATE_PER_MINUTE="600",
        LOGIN_BURST="200",
        REQUESTS_PER_MINUTE="0",
        QUEUE_LIMIT="16",
    ) as stack:
        yield stack


@pytest.fixture(scope="module")
def operator(fragile: Stack) -> Person:
    return first_admin(fragile)


@pytest.fixture
def victim(fragile: Stack, operator: Person) -> Person:
    fragile.wait_ready()
    return new_user(fragile, f"victim{time.monotonic_ns()}")


def begin_story(user: Person) -> tuple[str, str, str]:
    """Start a long answer and wait until some of it is stored: conversation, run, message."""
    conversation = user.conversation()
    run, answer = user.say(conversation, STORY)

    def some() -> bool | None:
        return True if len(user.message(conversation, answer)["content"]) > 100 else None

    wait_for("some text in the database", some, 30)
    return conversation, run, answer


def answers_again(user: Person) -> None:
    conversation = user.conversation()
    _, answer = user.say(conversation, CAPITAL)
    stored = user.finished(conversation, answer)
    assert stored["status"] == "complete", stored
    assert "Paris" in stored["content"]


def test_inference_killed_in_mid_answer(fragile: Stack, victim: Person) -> None:
    conversation, run, answer = begin_story(victim)
    os.kill(fragile.pid("atoll-inference"), signal.SIGKILL)
    stored = victim.finished(conversation, answer, 30)
    assert stored["status"] == "failed"
    assert stored["error"]["code"] == "upstream_unavailable"
    assert stored["error"]["message"]
    assert len(stored["content"]) > 100, "the text so far is kept"
    assert [name for _, name, _ in victim.events(run)][-1] == "error"
    fragile.wait_ready()
    answers_again(victim)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_chat_backend_ended_in_mid_answer(
    fragile: Stack, victim: Person, how: signal.Signals
) -> None:
    conversation, run, answer = begin_story(victim)
    seen = 0
    with victim.http.stream("GET", f"/api/runs/{run}/events") as events:
        for line in events.iter_lines():
            seen = int(line[4:]) if line.startswith("id: ") else seen
            if seen > 20:
                break
        os.kill(fragile.pid("atoll-chat"), how)
    fragile.wait_ready()
    stored = victim.finished(conversation, answer, 30)
    assert stored["status"] == "failed"
    assert stored["error"]["code"] == "interrupted"
    assert len(stored["content"]) > 100, "the text so far is kept"
    # A reader who resumes where he was gets exactly the end.
    names = [name for _, name, _ in victim.events(run, seen)]
    assert names[-1] == "error"
    assert names.count("error") == 1
    answers_again(victim)


def test_a_second_chat_backend_on_the_same_data_refuses(fragile: Stack, victim: Person) -> None:
    pid = fragile.pid("atoll-chat")
    names = ("SECRET_KEY", "INTERNAL_TOKEN")
    second = subprocess.run(
        [str(Path(sys.executable).parent / "atoll-chat"), "serve"],
        env=fragile.environment | {name: fragile.secret(name) for name in names},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode != 0
    assert str(pid) in second.stderr + second.stdout
    assert "Stop" in second.stderr + second.stdout
    answers_again(victim)


def test_two_hundred_requests_at_once(fragile: Stack, operator: Person) -> None:
    fragile.wait_ready()
    keys = [new_user(fragile, f"crowd{n}").api_key() for n in range(8)]
    body = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 16}

    def ask(number: int) -> httpx.Response:
        head = {"Authorization": f"Bearer {keys[number % len(keys)]}"}
        return httpx.post(
            f"{fragile.url}/v1/chat/completions", json=body, headers=head, timeout=120
        )

    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(ask, range(200)))
    counts = Counter(answer.status_code for answer in answers)
    assert set(counts) == {200, 429}, counts
    for answer in answers:
        if answer.status_code == 429:
            assert int(answer.headers["Retry-After"]) >= 1
            assert answer.json()["error"]["code"] in ("queue_full", "concurrency_limit")
        else:
            assert answer.json()["choices"][0]["message"]["content"]
    # Afterwards everything is free again.
    assert ask(0).status_code == 200


def test_one_stalled_reader_of_eight_stalls_nobody(fragile: Stack, operator: Person) -> None:
    fragile.wait_ready()
    key = operator.api_key()
    body: dict[str, Any] = {"messages": [{"role": "user", "content": STORY}], "stream": True}
    head = {"Authorization": f"Bearer {key}"}

    def read(tokens: int) -> int:
        url = f"{fragile.url}/v1/chat/completions"
        asked = body | {"max_tokens": tokens}
        with httpx.stream("POST", url, json=asked, headers=head, timeout=120) as answer:
            assert answer.status_code == 200
            return sum(1 for line in answer.iter_lines() if line.startswith("data: "))

    def seven() -> float:
        started = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(7) as pool:
            assert min(pool.map(read, [60] * 7)) > 30
        return time.monotonic() - started

    def beside_a_reading_eighth() -> float:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            eighth = pool.submit(read, 500)
            time.sleep(0.5)
            seconds = seven()
            assert eighth.result() > 50
        return seconds

    def beside_a_stalled_eighth() -> float:
        connection = http.client.HTTPConnection("127.0.0.1", fragile.ports["HTTP_PORT"])
        connection.connect()
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        asked = json.dumps(body | {"max_tokens": 500})
        connection.request(
            "POST", "/v1/chat/completions", asked, head | {"Content-Type": "application/json"}
        )
        time.sleep(0.5)  # it holds a place, and reads nothing
        seconds = seven()
        connection.close()
        return seconds

    seven()
    # Other work on the machine must not decide: the best of up to four turns each counts.
    reading, stalled, share = [], [], 0.0
    for _ in range(4):
        reading.append(beside_a_reading_eighth())
        stalled.append(beside_a_stalled_eighth())
        share = min(reading) / min(stalled)
        if share >= 0.9:
            break
    print(f"seven readers keep {share:.2f} of their rate when the eighth stalls")
    assert share >= 0.9


def test_fifty_trickling_uploads_delay_nobody(fragile: Stack, victim: Person) -> None:
    key = victim.api_key()
    stop = threading.Event()
    open_uploads: list[socket.socket] = []
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {key}\r\nContent-Length: 4000000\r\n\r\n"
    ).encode()
    for _ in range(50):
        upload = socket.create_connection(("127.0.0.1", fragile.ports["HTTP_PORT"]), timeout=10)
        upload.sendall(head)
        open_uploads.append(upload)

    def trickle() -> None:
        while not stop.wait(1):
            for upload in open_uploads:
                try:
                    upload.sendall(b" ")
                except OSError:
                    continue

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        time.sleep(2)
        started = time.monotonic()
        answers_again(victim)
        assert time.monotonic() - started < 10
        # The trickle itself is cut with the reason.
        first = open_uploads[0]
        first.settimeout(30)
        assert b"408" in first.recv(4096).split(b"\r\n")[0]
    finally:
        stop.set()
        thread.join()
        for upload in open_uploads:
            upload.close()


def test_a_large_upload_without_a_credential_is_refused_unread(
    fragile: Stack, tmp_path: Path
) -> None:
    fragile.wait_ready()
    upload = tmp_path / "upload"
    upload.touch()
    os.truncate(upload, 500_000_000)  # sparse: takes no room
    for path in ("/api/files", "/v1/chat/completions", "/inference/video_enhancement"):
        before = _bytes_under(fragile.data_dir)
        sent = 0
        with socket.create_connection(
            ("127.0.0.1", fragile.ports["HTTP_PORT"]), timeout=20
        ) as client:
            client.sendall(
                f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 500000000\r\n\r\n".encode()
            )
            try:
                for _ in range(500):
                    client.sendall(b"x" * 1_000_000)
                    sent += 1
            except OSError:
                pass
            status = client.recv(4096) if sent == 500 else _read_quietly(client)
        assert status == b"" or b" 401 " in status.split(b"\r\n")[0], (path, status)
        assert _bytes_under(fragile.data_dir) - before < 1_000_000, "nothing is spooled"
        # A client that waits for the answer, as curl does, sees the reason.
        command = ["curl", "-s", "-w", "%{http_code}", "-X", "POST", "-T", str(upload)]
        command += ["-H", "Expect:", f"{fragile.url}{path}"]
        curl = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert curl.stdout.endswith("401"), (path, curl.stdout)
        assert "not_authenticated" in curl.stdout


def _read_quietly(client: socket.socket) -> bytes:
    try:
        return client.recv(4096)
    except OSError:
        return b""


def _bytes_under(folder: Path) -> int:
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and "logs" not in f.parts)


def test_an_oversized_body_is_refused_with_the_limit(fragile: Stack, victim: Person) -> None:
    head = {"Authorization": f"Bearer {victim.api_key()}"}
    for path in ("/v1/chat/completions", "/api/conversations"):
        answer = httpx.post(
            f"{fragile.url}{path}", content=b" " * 40_000_000, headers=head, timeout=60
        )
        assert answer.status_code == 413, (path, answer.text[:200])
        assert answer.json()["error"]["code"] == "body_too_large"


def test_a_quota_is_refused_with_429_on_every_path(tmp_path: Path) -> None:
    with Stack(tmp_path / "data", REQUESTS_PER_MINUTE="3", REGISTRATION="open") as stack:
        admin = first_admin(stack)
        head = {"Authorization": f"Bearer {admin.api_key()}"}
        answers = [
            httpx.post(f"{stack.url}/v1/rerank", json={}, headers=head, timeout=30)
            for _ in range(5)
        ]
        assert [a.status_code for a in answers] == [503, 503, 503, 429, 429]
        refused = answers[-1]
        assert refused.json()["error"]["code"] == "rate_limited"
        assert int(refused.headers["Retry-After"]) >= 1
        chat = httpx.post(f"{stack.url}/v1/chat/completions", json={}, headers=head, timeout=30)
        assert chat.status_code == 429


def _copy_of_models(target: Path) -> Path:
    source = next(MODELS.glob("chat/*/*.gguf")).parent
    shutil.copytree(source, target / "chat" / source.name)
    return next((target / "chat" / source.name).glob("*.gguf"))


@pytest.mark.parametrize("state", ["truncated", "missing"])
def test_weights_that_are_not_there_or_not_whole(tmp_path: Path, state: str) -> None:
    weights = _copy_of_models(tmp_path / "models")
    if state == "truncated":
        os.truncate(weights, weights.stat().st_size // 2)
    else:
        shutil.rmtree(weights.parent)
    stack = Stack(tmp_path / "data", MODELS_DIR=str(tmp_path / "models"))
    try:
        stack.start(expect=None)

        def not_ready() -> httpx.Response | None:
            try:
                answer = httpx.get(f"{stack.url}/v2/health/ready", timeout=5)
            except httpx.HTTPError:
                return None
            # Until inference listens the gateway says so itself.
            waiting = "upstream_unavailable" in answer.text or "loading" in answer.text
            return None if waiting else answer

        ready = wait_for("the verdict on the model", not_ready, 60)
        assert ready.status_code == 503

        def healthy() -> bool | None:
            answer = httpx.get(f"{stack.url}/api/health", timeout=5)
            return True if answer.status_code == 200 else None

        wait_for("a healthy chat backend", healthy, 60)
        admin = first_admin(stack)
        answer = httpx.post(
            f"{stack.url}/v1/chat/completions",
            json={"messages": [{"role": "user", "content": CAPITAL}]},
            headers={"Authorization": f"Bearer {admin.api_key()}"},
            timeout=30,
        )
        assert answer.status_code == 503, answer.text
        error = answer.json()["error"]
        if state == "truncated":
            assert weights.name in error["message"]
        else:
            assert error["code"] == "model_not_installed"
            assert "make models-starter" in error["message"]
    finally:
        stack.stop()


def test_a_user_over_the_limit_is_refused_before_anything_is_stored(tmp_path: Path) -> None:
    with Stack(tmp_path / "data", MAX_CONCURRENT="1", REGISTRATION="open") as stack:
        first_admin(stack)
        user = new_user(stack, "eager")
        first, second = user.conversation(), user.conversation()
        run, _ = user.say(first, STORY)
        refused = user.http.post(f"/api/conversations/{second}/messages", json={"content": "Hi"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "concurrency_limit")
        assert user.messages(second) == []
        user.http.post(f"/api/runs/{run}/cancel")


def test_ctrl_c_ends_every_process(tmp_path: Path, person: NewPerson) -> None:
    stack = Stack(tmp_path / "data").start()
    pids = [stack.pid(name) for name in ("atoll-inference", "atoll-chat", "nginx")]
    stack.stop()
    assert stack.process is not None
    assert stack.process.returncode in (0, 130)
    for pid in pids:
        assert not Path(f"/proc/{pid}").exists()
