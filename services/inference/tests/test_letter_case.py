"""Capitals and spaces of texts that a model wrote in small letters."""

import pytest

from atoll_inference.engines.letter_case import restore

SOURCE = (
    "Notes of Tuesday.\nThe backup fails at night. Anna O'Neil, of the (new) IT group, doesn't "
    "know why. We moved the state-of-the-art server to Berlin on 14 May."
)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("the backup fails at night .", "The backup fails at night."),
        ("they said the backup fails . why ?", "They said the backup fails. Why?"),
        ("anna o ' neil doesn ' t know .", "Anna O'Neil doesn't know."),
        (
            "the state - of - the - art server is in berlin since 14 may .",
            "The state-of-the-art server is in Berlin since 14 May.",
        ),
        ("the ( new ) it group , of berlin", "The (new) IT group, of Berlin"),
        ("something else entirely", "Something else entirely"),
        ("a well - known and / or odd dog ' s life", "A well-known and/or odd dog's life"),
        ("", ""),
    ],
)
def test_words_get_the_form_that_they_have_in_the_source(written: str, expected: str) -> None:
    assert restore(written, SOURCE) == expected


def test_a_line_break_of_the_source_is_not_copied() -> None:
    assert restore("two words of one line", "Two words\nof one line") == "Two words of one line"


@pytest.mark.parametrize("source", ["a " * 200_000, "a b " * 100_000, "word" * 100_000])
def test_a_source_that_repeats_itself_comes_to_an_end(source: str) -> None:
    assert restore("a b " * 200, source).lower().split() == ["a", "b"] * 200
