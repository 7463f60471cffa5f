"""What the recipe for summaries is made of: a measure, sentences, and made-up notes."""

import re

import numpy as np
import pytest

from training.text_summarization.articles import sentences
from training.text_summarization.notes import note
from training.text_summarization.papers import _joined, _year
from training.text_summarization.rouge import mean, rouge, words

FORM = {"the", "group", "also", "decided", "to", "will", "by"}
"""Words that the form of a summary brings; everything else of one is copied."""

NAMES = ("the Danube", "Marie Curie", "Silk Road")


def test_the_figures_of_a_summary() -> None:
    score = rouge("The cat sat on a mat.", "the cat, on the mat")
    # Shared: the, cat, on, mat; "the cat"; and those four words in this order.
    assert score.one == pytest.approx(2 * 4 / (6 + 5))
    assert score.two == pytest.approx(2 * 1 / (5 + 4))
    assert score.longest == pytest.approx(2 * 4 / (6 + 5))


@pytest.mark.parametrize(("one", "other"), [("", "a b"), ("a b", ""), ("", ""), ("a", "b")])
def test_nothing_in_common_is_zero(one: str, other: str) -> None:
    score = rouge(one, other)
    assert (score.one, score.two, score.longest) == (0, 0, 0)


def test_the_order_of_words_counts_for_the_longest_sequence_alone() -> None:
    score = rouge("c b a", "a b c")
    assert (score.one, score.two) == (1, 0)
    assert score.longest == pytest.approx(1 / 3)


def test_a_mean_is_taken_over_pairs() -> None:
    assert mean(["a", "b"], ["a", "c"]).one == pytest.approx(0.5)
    with pytest.raises(ValueError, match="shorter"):
        mean(["a", "b"], ["a"])


def test_sentences_end_where_another_begins() -> None:
    text = "The bass (or e-bass) was first made by J. S. Fender. It has 4 strings! 12 are rare."
    assert sentences(text) == (
        "The bass was first made by J. S. Fender.",
        "It has 4 strings!",
        "12 are rare.",
    )
    assert sentences(" ") == ()


@pytest.mark.parametrize(
    ("name", "year"),
    [("P01-1040", 2001), ("E93-1001", 1993), ("N19-1362", 2019), ("2021.eacl-main.84", 2021)],
)
def test_the_year_of_a_paper(name: str, year: int) -> None:
    assert _year(name) == year


def test_a_sentence_of_a_paper_gets_its_spaces_back() -> None:
    assert _joined("BERT 's models ( all ) gain 2 - 3 % , at least .") == (
        "BERT's models (all) gain 2-3%, at least."
    )


def test_what_a_summary_of_made_up_notes_says_stands_in_the_notes() -> None:
    for seed in range(200):
        made = note(np.random.default_rng(seed), NAMES)
        said = words(made.summary)
        unknown = set(said) - set(words(made.text)) - FORM
        assert not unknown, (made.text, made.summary)
        decisions = re.findall(r"decided to (.*?)\.", made.summary)
        assert 1 <= len(decisions) <= 2
        assert all(decision in made.text for decision in decisions)


def test_made_up_notes_are_the_same_for_a_seed_and_rarely_for_two() -> None:
    first, again = (note(np.random.default_rng(7), NAMES) for _ in range(2))
    assert first == again
    assert len({note(np.random.default_rng(seed), NAMES).text for seed in range(300)}) == 300
