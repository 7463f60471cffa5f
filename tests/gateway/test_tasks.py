"""Task routes: large bodies in, bytes or events out, and inference's own refusals."""

import hashlib
import re
import socket
from threading import Event

import pytest

from .edge import Gateway
from .fake_service import Exchange, FakeService

ROUTES = [
    "/inference/video_enhancement",
    "/inference/speech_recognition",
    "/v1/audio/transcriptions",
    "/v1/ocr",
]
BODY = bytes(range(256)) * 80_000  # 20 MB
FORM = "multipart/form-data; boundary=abc"


def spooled(gateway: Gateway) -> int:
    """Bytes that nginx holds in its temporary files."""
    files = (gateway.directory / "tmp").rglob("*")
    return sum(path.stat().st_size for path in files if path.is_file())


@pytest.mark.parametrize("path", ROUTES)
def test_a_large_body_passes_whole_and_is_not_spooled(
    gateway: Gateway, inference: FakeService, path: str
) -> None:
    held: list[int] = []

    def receive(exchange: Exchange) -> None:
        digest = hashlib.sha256(exchange.rfile.read(1_000_000))
        held.append(spooled(gateway))
        left = int(exchange.headers["Content-Length"]) - 1_000_000
        digest.update(exchange.rfile.read(left))
        exchange.send_json(200, {"sha256": digest.hexdigest()})

    inference.default = receive
    headers = [("Content-Type", FORM), ("Accept", "audio/wav")]
    reply = gateway.request(path, method="POST", headers=headers, body=BODY)
    assert reply.json() == {"sha256": hashlib.sha256(BODY).hexdigest()}
    assert held == [0]
    seen = inference.only(path)
    assert seen.header("Content-Type") == FORM
    assert seen.header("Accept") == "audio/wav"


def test_a_body_without_a_length_passes(gateway: Gateway, inference: FakeService) -> None:
    begun = Event()

    def receive(exchange: Exchange) -> None:
        begun.set()
        received = b""
        while size := int(exchange.rfile.readline(), 16):
            received += exchange.rfile.read(size)
            exchange.rfile.readline()
        exchange.rfile.readline()
        exchange.send_json(200, {"body": received.decode()})

    inference.default = receive
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as client:
        client.sendall(
            b"POST /v1/ocr HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
        )
        # The rest comes when the service reads already: nginx counts a body that is all there.
        assert begun.wait(timeout=60)
        client.sendall(b"6\r\nsecond\r\n0\r\n\r\n")
        answer = b""
        while chunk := client.recv(65536):
            answer += chunk
    assert b'{"body": "firstsecond"}' in answer


@pytest.mark.parametrize("media_type", ["audio/wav", "image/png", "video/mp4"])
def test_bytes_come_back_as_they_are(
    gateway: Gateway, inference: FakeService, media_type: str
) -> None:
    inference.default = lambda exchange: exchange.send(
        200,
        BODY,
        Content_Type=media_type,
        Content_Disposition='attachment; filename="a.wav"',
        X_Result_Sample_Rate="16000",
    )
    headers = [("Accept", media_type), ("Accept-Encoding", "gzip")]
    reply = gateway.request("/inference/audio_denoising", method="POST", headers=headers)
    assert reply.body == BODY
    assert reply.headers["Content-Type"] == media_type
    assert reply.headers["Content-Length"] == str(len(BODY))
    assert reply.headers["Content-Encoding"] is None
    assert reply.headers["Content-Disposition"] == 'attachment; filename="a.wav"'
    assert reply.headers["X-Result-Sample-Rate"] == "16000"
    assert spooled(gateway) == 0
    reply.check_security_headers()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "undecodable"),
        (403, "url_not_allowed"),
        (404, "task_not_found"),
        (408, "slow_upload"),
        (413, "use_a_job"),
        (415, "unsupported_media_type"),
        (422, "invalid_value"),
        (429, "queue_full"),
        (502, "url_fetch_failed"),
        (503, "model_not_installed"),
        (504, "deadline_exceeded"),
        (507, "storage_full"),
    ],
)
def test_refusals_of_inference_pass_unchanged(
    gateway: Gateway, inference: FakeService, status: int, code: str
) -> None:
    refusal = {"error": {"code": code, "message": "Run: make models"}}
    inference.default = lambda exchange: exchange.send_json(status, refusal, Retry_After="7")
    reply = gateway.request("/inference/face_deepfake", method="POST")
    assert (reply.status, reply.json()) == (status, refusal)
    assert reply.headers["Retry-After"] == "7"


def test_a_client_that_leaves_in_the_middle_of_the_work(
    gateway: Gateway, inference: FakeService
) -> None:
    asked, gone = Event(), Event()

    def work(exchange: Exchange) -> None:
        exchange.read_body()
        asked.set()
        exchange.connection.settimeout(60)
        if exchange.connection.recv(1) == b"":
            gone.set()
        exchange.close_connection = True

    inference.default = work
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as client:
        client.sendall(
            b"POST /inference/audio_denoising HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nwave"
        )
        assert asked.wait(timeout=60)
    assert gone.wait(timeout=60)


def test_the_gateway_is_more_patient_than_inference(gateway: Gateway) -> None:
    """REQUEST_TIMEOUT ends a request with a reason; the gateway must not end it before."""
    from atoll_inference.settings import Settings

    rendered = (gateway.directory / "nginx/includes/streaming.conf").read_text()
    found = re.search(r"proxy_read_timeout (\d+)s;", rendered)
    assert found
    assert int(found[1]) > Settings.model_fields["request_timeout"].default
