"""Readiness tells the truth: about broken files, about loading, about a silent engine."""

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

STARTER = "smollm2-135m-instruct"


def ready(service: Any) -> httpx.Response:
    answer: httpx.Response = service.get("/v2/health/ready")
    return answer


def test_damaged_weights_leave_the_service_up_and_name_the_file(
    start_service: Any, own_models: Path, starter: Path, ask: Any
) -> None:
    path = own_models / "chat" / STARTER / starter.name
    path.unlink()
    path.write_bytes(starter.read_bytes()[:1_000_000])
    service = start_service(wait_ready=False, MODELS_DIR=own_models)
    service.wait_until(lambda: ready(service).json()["error"]["code"] == "model_failed", "told")
    assert ready(service).status_code == 503
    assert str(path) in ready(service).text
    assert service.get("/v2/health/live").status_code == 200
    refused = service.post("/v1/chat/completions", ask("Hi"))
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "model_failed")
    assert str(path) in refused.text
    (card,) = service.get("/v1/models").json()["data"]
    assert card["state"] == "failed"
    path.unlink()
    path.symlink_to(starter)
    service.wait_until(service.is_ready, "ready after the repair, without a restart")


def test_no_model_says_what_to_run(start_service: Any, tmp_path: Path, ask: Any) -> None:
    service = start_service(wait_ready=False, MODELS_DIR=tmp_path)
    service.wait_until(
        lambda: ready(service).json()["error"]["code"] == "model_not_installed", "told"
    )
    refused = service.post("/v1/chat/completions", ask("Hi"))
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "model_not_installed")
    assert "make models-starter" in refused.json()["error"]["message"]


def test_a_silent_engine_is_not_ready_and_an_idle_one_is(start_service: Any, ask: Any) -> None:
    """Reading one step of a long prompt takes longer than the silence allowed here."""
    service = start_service(STALL_SECONDS=0.05, CHAT_PARALLEL=1)
    assert service.is_ready()
    with httpx.Client(timeout=120, trust_env=False) as client:
        seen: set[str] = set()
        request = client.build_request(
            "POST",
            f"{service.url}/v1/chat/completions",
            json=ask("word " * 600, max_tokens=1, stream=True),
            headers=service.headers,
        )
        worker = threading.Thread(target=lambda: client.send(request))
        worker.start()
        while worker.is_alive():
            answer = ready(service)
            seen.add(answer.json()["error"]["code"] if answer.status_code == 503 else "ready")
        worker.join()
    assert "model_stalled" in seen
    service.wait_until(service.is_ready, "ready again")


def test_unload_and_load_through_the_api(start_service: Any, ask: Any) -> None:
    service = start_service()
    route = f"/v2/repository/models/{STARTER}"
    assert service.post(f"{route}/unload").json()["state"] == "available"
    assert ready(service).status_code == 503
    assert service.get(f"/v2/models/{STARTER}/ready").status_code == 503
    told = service.post(f"{route}/load", **{"Accept": "text/event-stream"}).text
    assert told.count("event: progress") >= 3
    assert told.rstrip().split("event: ")[-1].startswith("done")
    assert service.is_ready()
    assert service.post("/v2/repository/models/nobody/load").status_code == 404
    assert service.post("/v1/chat/completions", ask("Hi", max_tokens=2)).status_code == 200


def test_an_engine_that_stays_silent_ends_the_process(start_service: Any) -> None:
    """No work is ever quick enough here; a supervisor would start the service anew."""
    service = start_service(STALL_SECONDS=0.000001, WATCHDOG_SECONDS=4, PRELOAD="all-minilm-l6-v2")

    def work() -> None:
        texts = ["word " * 200] * 64
        with suppress(httpx.TransportError):
            while service.process.poll() is None:
                service.post("/v1/embeddings", {"input": texts})

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    try:
        assert service.process.wait(60) == 1
    finally:
        service.process.kill()
        for worker in workers:
            worker.join()
    assert "Timeout" in service.log.read_text()
