"""LLM_API_URL in every form that people write it."""

import pytest

from atoll_chat.upstream import completions_url


@pytest.mark.parametrize(
    ("configured", "expected"),
    [
        ("https://llm.example", "https://llm.example/v1/chat/completions"),
        ("https://llm.example/", "https://llm.example/v1/chat/completions"),
        ("http://10.0.0.7:8000/v1", "http://10.0.0.7:8000/v1/chat/completions"),
        ("http://10.0.0.7:8000/v1/", "http://10.0.0.7:8000/v1/chat/completions"),
        ("http://h/v1/chat/completions", "http://h/v1/chat/completions"),
        ("http://h/v1/chat/completions/", "http://h/v1/chat/completions"),
        ("http://h/openai", "http://h/openai/v1/chat/completions"),
        ("http://h/api/paas/v4", "http://h/api/paas/v4/chat/completions"),
        ("http://h/v1beta", "http://h/v1beta/chat/completions"),
    ],
)
def test_completions_url(configured: str, expected: str) -> None:
    assert str(completions_url(configured)) == expected
