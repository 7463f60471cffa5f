"""Which models there are, and which one answers."""

import asyncio

import pytest
from chat_fixtures import Browser
from fake_openai import MODEL, FakeServer, Refuse

from atoll_chat.models.selftest import selftest, selftest_command
from atoll_kit.errors import ApiError


async def test_only_what_can_chat_is_listed(ada: Browser) -> None:
    items = (await ada.http.get("/api/models")).json()["items"]
    assert [(item["id"], item["source"], item["default"]) for item in items] == [
        (MODEL, "local", True),
        ("fake-large", "local", False),
    ]
    assert items[0]["context_length"] == 2048


async def test_the_configured_upstream_answers_by_default(start, fake: FakeServer) -> None:
    chat = await start(inference_url=fake.url, llm_api_url=fake.url, llm_model="big-one")
    models = chat.backend.models
    assert [(m.id, m.source) for m in await models.chat_models()] == [
        ("big-one", "upstream"),
        ("fake-large", "local"),
        (MODEL, "local"),
    ]
    for name in (None, "default", "big-one"):
        assert (await models.resolve(name)).source == "upstream"
    assert (await models.resolve(MODEL)).source == "local"
    assert [entry["id"] for entry in await models.entries() if entry.get("default")] == [
        "big-one",
        "fake-embed",
    ]


async def test_the_upstream_answers_without_inference(start, fake: FakeServer) -> None:
    chat = await start(llm_api_url=fake.url, llm_model="big-one")
    assert [m.id for m in await chat.backend.models.chat_models()] == ["big-one"]
    assert (await chat.backend.models.resolve(None)).id == "big-one"


async def test_names_resolve(chat, fake: FakeServer) -> None:
    models = chat.backend.models
    assert (await models.resolve(None)).id == (await models.resolve("default")).id == MODEL
    assert (await models.resolve("fake-large")).kind == "vision_language"
    for name in ("fake-embed", "gpt-4", ""):
        with pytest.raises(ApiError) as refused:
            await models.resolve(name)
        assert (refused.value.status, refused.value.code) == (404, "model_not_found")


async def test_nothing_installed_says_what_to_do(chat, fake: FakeServer) -> None:
    fake.models = []
    with pytest.raises(ApiError) as refused:
        await chat.backend.models.resolve(None)
    assert (refused.value.status, refused.value.code) == (503, "model_not_installed")
    assert "make models-starter" in refused.value.message


async def test_inference_was_never_there(start) -> None:
    chat = await start()
    with pytest.raises(ApiError) as refused:
        await chat.backend.models.chat_models()
    assert (refused.value.status, refused.value.code) == (503, "upstream_unavailable")


async def test_many_ask_and_the_list_is_fetched_once(chat, fake: FakeServer) -> None:
    models = chat.backend.models
    await asyncio.gather(*(models.resolve(None) for _ in range(20)))
    await asyncio.gather(*(models.chat_models() for _ in range(20)))
    assert fake.list_requests <= 2


async def test_the_last_list_serves_while_inference_is_away(
    chat, fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = chat.backend.models
    await models.resolve(None)
    monkeypatch.setattr("atoll_chat.models.service.FRESH_SECONDS", 0.0)
    fake.stop()
    assert (await models.resolve(MODEL)).id == MODEL
    assert len(await models.chat_models()) == 2


async def test_selftest_asks_a_real_question(chat, fake: FakeServer) -> None:
    result = await selftest(chat.backend.upstream, chat.backend.models)
    assert result.model == MODEL
    assert result.answer == "The capital of France is Paris."
    assert result.seconds > 0
    assert "France" in fake.asked[0].body["messages"][0]["content"]


async def test_selftest_waits_for_loading_and_for_nothing_else(chat, fake: FakeServer) -> None:
    fake.answer(Refuse(503, "model_loading", "Loading."))
    command = selftest_command(chat.backend.upstream, chat.backend.models)
    answer = await command({})
    assert answer["answer"] == "The capital of France is Paris."
    fake.answer(Refuse(503, "model_not_installed", "Fetch it."))
    with pytest.raises(ApiError) as refused:
        await command({})
    assert refused.value.code == "model_not_installed"
