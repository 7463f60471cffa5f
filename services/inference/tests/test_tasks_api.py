"""Task routes of the running service, on small checkpoints made here."""

import asyncio
import base64
import struct
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
import tiny_text

JOYFUL = "I am so happy and delighted today"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny_text.emotion_classifier(folder / "emotion_detection" / "feelings")
    tiny_text.sentence_encoder(folder / "text_embedding" / "vectors")
    tiny_text.cross_encoder(folder / "reranker" / "order")
    return folder


@pytest.fixture(scope="module")
def tasks(start_service: Any, models: Path) -> Any:
    return start_service(
        MODELS_DIR=models,
        PRELOAD="emotion_detection,text_embedding,reranker",
        MAX_BATCH_INPUTS=16,
        MAX_JSON_BYTES="2MiB",
    )


def error(answer: httpx.Response) -> tuple[int, str, str | None]:
    content = answer.json()["error"]
    return answer.status_code, content["code"], content["param"]


def test_readiness_needs_every_preloaded_slot(tasks: Any) -> None:
    ready = {m["id"]: m["state"] for m in tasks.get("/v1/models").json()["data"]}
    assert ready == {"feelings": "ready", "vectors": "ready", "order": "ready"}
    for name in ready:
        assert tasks.get(f"/v2/models/{name}/ready").json() == {"name": name, "ready": True}


def test_a_model_says_what_it_is(tasks: Any) -> None:
    cards = {m["id"]: m for m in tasks.get("/v1/models").json()["data"]}
    assert "joy" in cards["feelings"]["labels"]
    assert cards["vectors"]["dimensions"] == 32
    assert cards["vectors"]["memory"]["host"] >= 0


def test_an_emotion(tasks: Any) -> None:
    answer = tasks.post("/inference/emotion_detection", {"text": JOYFUL}).json()
    assert answer["task"] == "emotion_detection"
    assert answer["model"] == "feelings"
    scores = answer["result"]["scores"]
    assert sum(scores.values()) == pytest.approx(1, abs=1e-4)
    assert answer["result"]["label"] == max(scores, key=scores.get)
    assert set(answer["timings"]) == {"queue", "preprocess", "forward", "postprocess", "total"}


def test_a_form_with_a_text_file(tasks: Any) -> None:
    with tasks_client(tasks) as http:
        answer = http.post(
            "/inference/emotion_detection",
            files={"file": ("note.txt", JOYFUL.encode())},
            data={"model": "feelings"},
        )
    plain = tasks.post("/inference/emotion_detection", {"text": JOYFUL})
    assert answer.json()["result"] == plain.json()["result"]


def tasks_client(service: Any) -> httpx.Client:
    return httpx.Client(base_url=service.url, headers=service.headers, timeout=60, trust_env=False)


def test_a_batch_keeps_its_order_and_its_errors(tasks: Any) -> None:
    texts = [JOYFUL, "", "the rain made me sad", JOYFUL]
    answer = tasks.post("/inference/emotion_detection", {"inputs": texts}).json()
    results = answer["results"]
    assert len(results) == 4
    assert results[1]["error"]["type"] == "invalid_request_error"
    single = tasks.post("/inference/emotion_detection", {"text": texts[2]}).json()["result"]
    assert results[2]["result"]["scores"] == pytest.approx(single["scores"], abs=1e-5)
    same = results[0]["result"]["scores"]
    assert same == pytest.approx(results[3]["result"]["scores"], abs=1e-5)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (422, "invalid_parameter", "text")),
        ({"text": 5}, (422, "invalid_parameter", "text")),
        ({"text": "a", "inputs": ["b"]}, (422, "invalid_parameter", "text")),
        ({"inputs": []}, (422, "invalid_parameter", "inputs")),
        ({"inputs": ["a"] * 17}, (413, "too_many_inputs", "inputs")),
        ({"text": "a", "colour": "red"}, (422, "invalid_parameter", "colour")),
        ({"text": "a", "model": "nobody"}, (404, "model_not_found", "model")),
        ({"text": "a", "model": "vectors"}, (400, "wrong_model", "model")),
        ([1, 2], (422, "invalid_parameter", None)),
    ],
)
def test_what_a_task_refuses(tasks: Any, body: Any, expected: tuple[int, str, str]) -> None:
    answer = tasks.post("/inference/emotion_detection", body)
    status, code, param = error(answer)
    assert status == expected[0]
    if expected[1] != "invalid_parameter":
        assert code == expected[1]
    if expected[2] is not None:
        assert param == expected[2]


def test_bodies_that_are_none(tasks: Any) -> None:
    with tasks_client(tasks) as http:
        path = "/inference/emotion_detection"
        kind = {"Content-Type": "application/json"}
        assert error(http.post(path, content=b"{", headers=kind))[:2] == (400, "invalid_json")
        assert error(http.post(path, content=b"[" * 100_000, headers=kind))[0] == 400
        plain = http.post(path, content=b"joy", headers={"Content-Type": "text/plain"})
        assert error(plain)[:2] == (415, "unsupported_media_type")
        torn = http.post(
            path, content=b"--x\r\nnothing", headers={"Content-Type": "multipart/form-data"}
        )
        assert error(torn)[0] == 400
        large = b'{"text": "' + b"a" * 3_000_000 + b'"}'
        assert error(http.post(path, content=large, headers=kind))[:2] == (413, "json_too_large")
        latin = http.post(path, files={"file": ("a.txt", b"caf\xe9")})
        assert error(latin)[0] == 400


def test_a_megabyte_of_text(tasks: Any) -> None:
    answer = tasks.post("/inference/emotion_detection", {"text": "happy words " * 90_000})
    assert answer.status_code in (200, 413), answer.text


def test_progress_is_streamed(tasks: Any) -> None:
    with (
        tasks_client(tasks) as http,
        http.stream(
            "POST",
            "/inference/emotion_detection",
            json={"text": JOYFUL},
            headers={"Accept": "text/event-stream"},
        ) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        text = answer.read().decode()
    assert text.count("event: done") == 1
    assert '"label"' in text


def test_an_error_is_streamed_too(tasks: Any) -> None:
    answer = tasks.post("/inference/emotion_detection", {"text": ""}, Accept="text/event-stream")
    assert answer.text.count("event: error") == 1
    assert "event: done" not in answer.text


def test_embeddings_with_the_openai_client(tasks: Any) -> None:
    client = openai.OpenAI(
        base_url=f"{tasks.url}/v1",
        api_key="unused",
        default_headers=tasks.headers,
        http_client=httpx.Client(trust_env=False),
    )
    texts = ["a harbour", "a port", "something longer about bread"]
    answer = client.embeddings.create(model="text-embedding-3-small", input=texts)
    rows = np.array([item.embedding for item in answer.data])
    assert rows.shape == (3, 32)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-4)
    assert answer.usage.prompt_tokens > 0
    plain = tasks.post("/v1/embeddings", {"input": texts}).json()
    assert rows == pytest.approx(np.array([d["embedding"] for d in plain["data"]]), abs=1e-6)
    client.close()


def test_embeddings_in_base64_and_shortened(tasks: Any) -> None:
    body = {"input": "a harbour", "encoding_format": "base64", "dimensions": 8}
    item = tasks.post("/v1/embeddings", body).json()["data"][0]
    raw = base64.b64decode(item["embedding"])
    values = struct.unpack(f"<{len(raw) // 4}f", raw)
    assert len(values) == 8
    assert sum(v * v for v in values) == pytest.approx(1, abs=1e-4)


def test_a_long_text_is_cut_and_says_so(tasks: Any) -> None:
    body = {"input": ["short", "words and words " * 500]}
    data = tasks.post("/v1/embeddings", body).json()["data"]
    assert [item["truncated"] for item in data] == [False, True]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"input": []}, 422),
        ({"input": [[1, 2, 3]]}, 400),
        ({"input": "a", "dimensions": 4096}, 400),
        ({"input": ["a", ""]}, 400),
        ({"input": "\ud800"}, 422),
    ],
)
def test_what_embeddings_refuse(tasks: Any, body: Any, status: int) -> None:
    import json

    with tasks_client(tasks) as http:
        answer = http.post(
            "/v1/embeddings",
            content=json.dumps(body),
            headers={"Content-Type": "application/json"},
        )
    assert answer.status_code == status, answer.text


def test_reranking_in_the_shapes_clients_send(tasks: Any) -> None:
    documents = ["bread and butter", {"text": "the tide is high"}, "a letter"]
    body = {"query": "water", "documents": documents, "top_n": None}
    for path in ("/v1/rerank", "/rerank", "/v2/rerank"):
        results = tasks.post(path, body).json()["results"]
        assert sorted(r["index"] for r in results) == [0, 1, 2]
        scores = [r["relevance_score"] for r in results]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)
        tide = next(r for r in results if r["index"] == 1)
        assert tide["document"] == {"text": "the tide is high"}
    top = tasks.post("/v1/rerank", {**body, "top_n": 1, "return_documents": False}).json()
    assert len(top["results"]) == 1
    assert "document" not in top["results"][0]


def test_many_clients_at_once_get_their_own_answers(tasks: Any) -> None:
    texts = [f"{tiny_text.emotional_sentences(1, seed)[0][0]} {seed}" for seed in range(60)]
    alone = [tasks.post("/inference/emotion_detection", {"text": t}).json() for t in texts]

    async def together() -> list[Any]:
        async with tasks.client() as http:
            answers = await asyncio.gather(
                *(http.post("/inference/emotion_detection", json={"text": t}) for t in texts)
            )
        return [answer.json() for answer in answers]

    for one, other in zip(alone, asyncio.run(together()), strict=True):
        assert other["result"]["scores"] == pytest.approx(one["result"]["scores"], abs=1e-5)
    assert tasks.metric("batch_size_count", model_name="feelings") > 0


def test_a_deleted_folder_keeps_answering_until_it_is_unloaded(
    start_service: Any, tmp_path: Path
) -> None:
    import shutil

    folder = tiny_text.emotion_classifier(tmp_path / "models" / "emotion_detection" / "gone")
    service = start_service(MODELS_DIR=tmp_path / "models", PRELOAD="emotion_detection")
    shutil.rmtree(folder)
    assert service.post("/inference/emotion_detection", {"text": JOYFUL}).status_code == 200
    assert service.post("/v2/repository/models/gone/unload").status_code == 200
    answer = service.post("/inference/emotion_detection", {"text": JOYFUL})
    assert error(answer)[:2] == (503, "model_not_installed")


def test_fifty_reloads_under_traffic_answer_everyone_and_return_memory(
    start_service: Any, models: Path
) -> None:
    import psutil

    service = start_service(MODELS_DIR=models, PRELOAD="text_embedding")
    process = psutil.Process(service.process.pid)

    async def run() -> tuple[list[int], list[int]]:
        statuses: list[int] = []
        resident: list[int] = []
        stop = asyncio.Event()

        async def ask(http: httpx.AsyncClient, number: int) -> None:
            count = 0
            while not stop.is_set():
                count += 1
                body = {"input": f"{number} {count} " * (count % 20) + "words"}
                answer = await http.post("/v1/embeddings", json=body)
                statuses.append(answer.status_code)
                if answer.status_code != 200:
                    assert answer.json()["error"]["code"] == "model_loading", answer.text

        async with service.client() as http:
            clients = [asyncio.create_task(ask(http, n)) for n in range(4)]
            for _ in range(50):
                answer = await http.post(
                    "/v2/repository/models/vectors/load", json={"reload": True}
                )
                assert answer.status_code == 200, answer.text
                resident.append(process.memory_info().rss)
            stop.set()
            await asyncio.gather(*clients)
        return statuses, resident

    started = time.monotonic()
    statuses, resident = asyncio.run(run())
    first, last = max(resident[5:15]), max(resident[-10:])
    print(
        f"50 reloads in {time.monotonic() - started:.0f} s, {len(statuses)} requests "
        f"({statuses.count(200)} answered), resident {first / 2**20:.0f} -> {last / 2**20:.0f} MiB"
    )
    assert statuses.count(200) > 50
    assert last < first + 48 * 2**20
