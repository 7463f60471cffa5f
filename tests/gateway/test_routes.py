"""Which address reaches which service, and which reaches none."""

import pytest

from .edge import Gateway
from .fake_service import FakeService

TO_CHAT = [
    ("GET", "/api/config"),
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/register"),
    ("GET", "/api/auth/me"),
    ("POST", "/api/jobs"),
    ("GET", "/api/jobs/0123"),
    ("POST", "/api/jobs/0123/cancel"),
    ("POST", "/api/v1/chat/completions"),
    ("POST", "/api/chat/completions"),
    ("POST", "/v1/chat/completions"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/some/model"),
    ("GET", "/ws/chat"),
    ("GET", "/ws/chat/"),
    ("GET", "/ws/analyze"),
    ("GET", "/ws/analyze/"),
]
TO_INFERENCE = [
    ("POST", "/v1/embeddings"),
    ("POST", "/v1/rerank"),
    ("POST", "/rerank"),
    ("POST", "/v2/rerank"),
    ("POST", "/v1/audio/transcriptions"),
    ("POST", "/v1/ocr"),
    ("POST", "/v1/vision/encode"),
    ("POST", "/v1/multimodal/match"),
    ("POST", "/v1/relation"),
    ("POST", "/v1/relation/conflict"),
    ("POST", "/inference/speech_recognition"),
    ("POST", "/inference/emotion_detection"),
    ("POST", "/inference/text_summarization"),
    ("POST", "/inference/audio_denoising"),
    ("POST", "/inference/video_enhancement"),
    ("POST", "/inference/audio_deepfake"),
    ("POST", "/inference/face_deepfake"),
    ("GET", "/v2/models/whisper/ready"),
    ("POST", "/v2/repository/index"),
    ("POST", "/v2/repository/models/whisper/load"),
]


@pytest.mark.parametrize(("method", "path"), TO_CHAT)
def test_chat_backend_routes(gateway: Gateway, chat: FakeService, method: str, path: str) -> None:
    reply = gateway.request(f"{path}?a=1", method=method)
    assert reply.status == 200
    assert chat.only(path).target == f"{path}?a=1"
    assert chat.only(path).method == method
    assert not chat.requests("/internal/authorize")
    reply.check_security_headers()


@pytest.mark.parametrize(("method", "path"), TO_INFERENCE)
def test_inference_routes_ask_the_chat_backend_first(
    gateway: Gateway, chat: FakeService, inference: FakeService, method: str, path: str
) -> None:
    reply = gateway.request(f"{path}?a=1", method=method)
    assert reply.status == 200
    assert inference.only(path).target == f"{path}?a=1"
    question = chat.only("/internal/authorize")
    assert question.header("X-Original-Method") == method
    assert question.header("X-Original-URI") == f"{path}?a=1"
    reply.check_security_headers()


@pytest.mark.parametrize("path", ["/v2/health/live", "/v2/health/ready"])
def test_health_is_open_and_carries_no_token(
    gateway: Gateway, chat: FakeService, inference: FakeService, path: str
) -> None:
    assert gateway.request(path).status == 200
    assert inference.only(path).header("X-Internal-Token") is None
    assert not chat.seen


@pytest.mark.parametrize(
    "target",
    [
        "/metrics",
        "/metrics/",
        "/internal",
        "/internal/",
        "/internal/authorize",
        "/internal/authorize/",
        "/internal/usage",
        "/internal/cancel",
        "/internal/files/0123",
        "/internal/results/0123",
        "//internal/usage",
        "/%69nternal/usage",
        "/internal%2fusage",
        "/api/../internal/usage",
        "/api/..%2finternal/usage",
        "/api/%2e%2e/internal/usage",
        "/v1/../metrics",
        "/./metrics",
        "/v1/unknown",
        "/v2/unknown",
        "/ws/other",
        "/inference",
    ],
)
def test_not_reachable_from_outside(
    gateway: Gateway, chat: FakeService, inference: FakeService, target: str
) -> None:
    reply = gateway.request(target, method="POST")
    assert reply.status == 404
    assert reply.error()["code"] == "not_found"
    reply.check_security_headers()
    assert not chat.seen
    assert not inference.seen


def test_services_get_the_path_that_chose_the_route(
    gateway: Gateway, chat: FakeService, inference: FakeService
) -> None:
    """A service must not read another route in an address than the gateway did."""
    gateway.request("/internal/cancel/../../v2/repository/index", method="POST")
    assert [seen.target for seen in inference.seen] == ["/v2/repository/index"]
    asked = chat.only("/internal/authorize")
    assert asked.header("X-Original-URI") == "/v2/repository/index"

    gateway.request("/api//files/%61%20b%3fc%23d%25/%E4%BD%A0?q=%2f..%2f")
    assert chat.seen[-1].target == "/api/files/a%20b%3Fc%23d%25/%E4%BD%A0?q=%2f..%2f"


@pytest.mark.parametrize("code", ["%0d%0aX-Injected:%201", "%0a", "%09", "%7f", "%01"])
def test_encoded_control_characters_are_refused(
    gateway: Gateway, chat: FakeService, inference: FakeService, code: str
) -> None:
    for path in ("/api/files/", "/v1/vision/", "/chat/"):
        reply = gateway.request(path + code)
        assert reply.status == 400
        assert reply.error()["code"] == "invalid_request"
    assert not chat.seen
    assert not inference.seen
