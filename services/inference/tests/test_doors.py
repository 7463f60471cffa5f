"""Who may call what, and that no second door is open."""

import re
from typing import Any

import httpx
import psutil
import pytest


@pytest.mark.parametrize(
    "path",
    ["/v1/models", "/metrics", "/v2/models/x/ready", "/v2/health/live/", "/nowhere", "/docs"],
)
def test_no_answer_without_the_token(service: Any, path: str) -> None:
    for headers in ({}, {"X-Internal-Token": "0" * 64}, {"X-Internal-Token": ""}):
        answer = httpx.get(service.url + path, headers=headers, trust_env=False)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "not_authenticated"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/internal/cancel", "/inference/x"])
def test_no_post_without_the_token(service: Any, path: str) -> None:
    answer = httpx.post(service.url + path, json={}, trust_env=False)
    assert answer.status_code == 401


def test_probes_are_open(service: Any) -> None:
    assert httpx.get(f"{service.url}/v2/health/live", trust_env=False).json() == {"live": True}
    assert httpx.get(f"{service.url}/v2/health/ready", trust_env=False).json() == {"ready": True}


def test_the_runtime_listens_nowhere(service: Any) -> None:
    """llama.cpp brings an HTTP server of its own; nothing must be able to reach it."""
    process = psutil.Process(service.process.pid)
    listening = [c for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    assert [c.laddr.port for c in listening] == [service.port]


@pytest.fixture(scope="module")
def bare(start_service: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A service without a single model."""
    return start_service(MODELS_DIR=tmp_path_factory.mktemp("no-models"), PRELOAD="none")


@pytest.mark.parametrize(
    ("path", "slot"),
    [
        ("/inference/speech_recognition", "speech_recognition"),
        ("/inference/emotion_detection", "emotion_detection"),
        ("/inference/text_summarization", "text_summarization"),
        ("/inference/audio_denoising", "audio_denoising"),
        ("/inference/video_enhancement", "video_enhancement"),
        ("/inference/audio_deepfake", "audio_deepfake"),
        ("/inference/face_deepfake", "face_deepfake"),
        ("/v1/audio/transcriptions", "speech_recognition"),
        ("/v1/embeddings", "text_embedding"),
        ("/rerank", "reranker"),
        ("/v1/ocr", "ocr"),
    ],
)
def test_an_empty_slot_names_the_command_that_fills_it(bare: Any, path: str, slot: str) -> None:
    answer = bare.post(path, {"anything": 1})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (503, "model_not_installed")
    assert slot in error["message"]
    assert re.search(
        "`(make models-starter|atoll-inference (models fetch|finetune))", error["message"]
    )


@pytest.mark.parametrize(
    ("path", "slot"),
    [
        ("/v1/vision/encode", "vision"),
        ("/v1/multimodal/match", "multimodal"),
        ("/v1/relation", "vision_language"),
    ],
)
def test_a_slot_without_an_engine_says_so(service: Any, path: str, slot: str) -> None:
    answer = service.post(path, {"anything": 1})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (503, "model_not_installed")
    assert slot in error["message"]
    assert "no engine" in error["message"]


def test_an_empty_slot_answers_from_the_headers(bare: Any) -> None:
    """The declared 500 MB are never sent."""
    import socket

    head = (
        f"POST /inference/face_deepfake HTTP/1.1\r\nHost: x\r\nContent-Length: 500000000\r\n"
        f"X-Internal-Token: {bare.headers['X-Internal-Token']}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", bare.port), timeout=10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(64).startswith(b"HTTP/1.1 503")


def test_an_unknown_task_is_absent(service: Any) -> None:
    answer = service.post("/inference/telepathy", {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "task_not_found")
    assert "speech_recognition" in answer.json()["error"]["message"]
