"""Summaries: content after training, long texts, lengths, and CTranslate2 beside transformers."""

import json
import random
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import tiny_text
import transformers

from atoll_inference.engines.base import InvalidInput, LoadFailed, Stopped
from atoll_inference.engines.generation import read_generation
from atoll_inference.engines.seq2seq_ctranslate2 import CTranslate2Generator
from atoll_inference.engines.seq2seq_transformers import TransformersGenerator
from atoll_inference.engines.summarizer import SummarizerEngine, build_summarizer
from atoll_inference.engines.summary_chunks import chunks, sentence_borders
from atoll_inference.engines.tasks.text import SummaryInput, SummaryResult

TEXTS = [tiny_text.text_about(emotion, 3, seed=9) for emotion in tiny_text.EMOTIONS]


def loaded(folder: Path, dtype: Any = "auto") -> SummarizerEngine:
    engine = build_summarizer(folder, tiny_text.runtime(folder.parent, dtype))
    engine.load(lambda fraction, stage: None)
    engine.warmup()
    return engine


def summarized(engine: SummarizerEngine, text: str, **lengths: int) -> SummaryResult:
    result: SummaryResult = engine.run(SummaryInput(text=text, **lengths))
    return result


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_text.summarizer(tmp_path_factory.mktemp("trained") / "m")
    tiny_text.train_summarizer(folder)
    return folder


@pytest.mark.parametrize("dtype", ["auto", "fp32", "bf16", "int8"])
def test_a_trained_checkpoint_says_what_the_text_is_full_of(trained: Path, dtype: str) -> None:
    engine = loaded(trained, dtype)
    right = sum(
        summarized(engine, tiny_text.text_about(emotion, 3, seed=seed)).summary
        == tiny_text.summary_of(emotion)
        for emotion in tiny_text.EMOTIONS
        for seed in (1, 2, 3)
    )
    assert right >= 19, right


def test_a_checkpoint_of_small_letters_gets_the_capitals_of_its_source(
    trained: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "m"
    shutil.copytree(trained, folder)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["normalizer"] = {"type": "Lowercase"}
    tiny_text.write_json(folder / "tokenizer.json", tokenizer)
    text = tiny_text.text_about("joy", 3, seed=9)
    plain = tiny_text.summary_of("joy")
    assert summarized(loaded(trained), text).summary == plain
    capital = f"NASA. {text.upper()} This is what JOY is."
    assert summarized(loaded(folder), capital).summary == "This text is full of JOY."


def test_a_long_text_is_summarised_in_rounds(trained: Path) -> None:
    engine = loaded(trained)
    stages: list[str] = []
    text = tiny_text.text_about("joy", 200)
    result: SummaryResult = engine.run(
        SummaryInput(text=text), lambda fraction, stage: stages.append(stage)
    )
    assert result.summary == tiny_text.summary_of("joy")
    assert result.chunks > 20
    assert result.input_tokens > 2000
    assert len(stages) >= 3
    assert stages[-1] == "summarizing"
    assert engine.tokens(result) == (result.input_tokens, result.summary_tokens)


def test_every_part_of_a_long_text_is_read(trained: Path) -> None:
    engine = loaded(trained)
    text = " ".join(tiny_text.text_about(emotion, 9) for emotion in tiny_text.EMOTIONS)
    units = next(engine.steps(SummaryInput(text=text), lambda fraction, stage: None))
    parts = [engine.tokenizer.text(unit.data.tokens.ids) for unit in units]
    assert " ".join(parts) == text
    assert all(part.endswith(".") for part in parts)


@pytest.mark.parametrize("beams", [1, 4])
def test_both_runtimes_write_the_same(trained: Path, tmp_path: Path, beams: int) -> None:
    random_weights = tiny_text.summarizer(tmp_path / "m", seed=beams)
    # Beams of random weights are ties; there the order of additions decides.
    for folder in (trained, random_weights) if beams == 1 else (trained,):
        files = read_generation(folder)
        settings = replace(files.settings, beams=beams)
        runtime = tiny_text.runtime(tmp_path)
        generators = (
            TransformersGenerator(folder, runtime, first_token=files.first_token),
            CTranslate2Generator(
                folder, runtime, compute_type="float32", first_token=files.first_token
            ),
        )
        tokenizer = loaded(folder).tokenizer
        inputs = [tokenizer.single(tokenizer.read(text, "text")[:62]) for text in TEXTS]
        found = []
        for generator in generators:
            generator.load(lambda fraction, stage: None)
            found.append([tokenizer.text(ids) for ids in generator.generate(inputs, settings)])
        assert found[0] == found[1]
        assert any(found[0])


@pytest.mark.parametrize("dtype", ["auto", "fp32"])
def test_no_text_depends_on_its_neighbours(trained: Path, dtype: str) -> None:
    engine = loaded(trained, dtype)
    items = [
        SummaryInput(text=text, max_tokens=3 + index, min_tokens=2)
        for index, text in enumerate(TEXTS)
    ] + [SummaryInput(text=tiny_text.text_about("fear", 40))]
    alone = {item: engine.run(item) for item in items}
    random.Random(4).shuffle(items)
    assert engine.run_batch(items) == [alone[item] for item in items]


@pytest.mark.parametrize("dtype", ["auto", "fp32"])
def test_lengths_are_kept(trained: Path, dtype: str) -> None:
    engine = loaded(trained, dtype)
    for shortest, longest in ((1, 1), (3, 3), (0, 5), (0, 40)):
        result = summarized(engine, TEXTS[0], min_tokens=shortest, max_tokens=longest)
        assert shortest <= result.summary_tokens <= longest
    # Silent requests get the checkpoint's own: 24 with start, first and end token.
    assert summarized(engine, TEXTS[0]).summary_tokens <= 21
    for lengths, param in (
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 62}, "max_tokens"),
        ({"min_tokens": -1}, "min_tokens"),
        ({"min_tokens": 9, "max_tokens": 8}, "min_tokens"),
        ({"min_tokens": 30}, "min_tokens"),
    ):
        with pytest.raises(InvalidInput) as refused:
            summarized(engine, TEXTS[0], **lengths)
        assert refused.value.param == param


def test_a_note_is_not_made_longer(tmp_path: Path) -> None:
    folder = tiny_text.summarizer(tmp_path / "m", min_length=20)
    engine = loaded(folder)
    assert summarized(engine, " ".join(TEXTS)[:200]).summary_tokens >= 18
    settings = [
        next(engine.steps(SummaryInput(text=text), lambda fraction, stage: None))[0].data.settings
        for text in ("a happy day", TEXTS[0])
    ]
    assert [s.min_tokens for s in settings] == [
        engine.run(SummaryInput(text="a happy day")).input_tokens // 2,
        min(18, engine.run(SummaryInput(text=TEXTS[0])).input_tokens // 2),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "word " * 40_000,
        "." * 100_000,
        "x" * 30_000,
        "这是一个很长的句子。" * 1_000,
        "no end\n" * 5_000,
    ],
)
def test_rounds_always_end(tmp_path: Path, text: str) -> None:
    # The model is left out: what it says is as long and as odd as it can be.
    engine = loaded(tiny_text.summarizer(tmp_path / "m"))
    choose = random.Random(5)
    way = engine.steps(SummaryInput(text=text), lambda fraction, stage: None)
    units = next(way)
    counts = [len(units)]
    try:
        while True:
            assert all(unit.size <= engine.max_length for unit in units)
            outputs = [[choose.randrange(5, 300) for _ in range(engine.max_length)] for _ in units]
            units = way.send(outputs)
            counts.append(len(units))
    except StopIteration as end:
        assert end.value.chunks == counts[0]
    assert counts[-1] == 1
    assert len(counts) < 60


def test_a_model_with_nothing_to_say_gives_an_empty_summary(tmp_path: Path) -> None:
    engine = loaded(tiny_text.summarizer(tmp_path / "m"))
    way = engine.steps(SummaryInput(text="a b c. " * 200), lambda fraction, stage: None)
    units = next(way)
    with pytest.raises(StopIteration) as end:
        way.send([[] for _ in units])
    assert end.value.value.summary == ""
    assert end.value.value.chunks == len(units)


def test_it_stops_between_rounds(trained: Path) -> None:
    engine = loaded(trained)
    calls = []

    def stop(fraction: float, stage: str) -> None:
        calls.append(stage)
        if len(calls) == 2:
            raise Stopped("cancelled")

    with pytest.raises(Stopped):
        engine.run(SummaryInput(text=tiny_text.text_about("joy", 300)), stop)
    assert len(calls) == 2


@pytest.mark.parametrize("bad", ["", " \n ", "\udfff"])
def test_texts_without_content_are_refused(trained: Path, bad: str) -> None:
    with pytest.raises(InvalidInput, match="The text "):
        summarized(loaded(trained), bad)


@pytest.mark.parametrize("dtype", ["auto", "fp32"])
@pytest.mark.parametrize("damage", ["removed", "renamed", "reshaped"])
def test_a_damaged_checkpoint_is_refused_by_tensor(tmp_path: Path, damage: str, dtype: str) -> None:
    name = "model.decoder.layers.1.fc2.weight"
    folder = tiny_text.damaged(tiny_text.summarizer(tmp_path / "m"), damage, name)
    with pytest.raises(LoadFailed, match=name.replace(".", r"\.")):
        loaded(folder, dtype)


def test_a_checkpoint_that_changes_is_converted_and_checked_again(tmp_path: Path) -> None:
    folder = tiny_text.summarizer(tmp_path / "m")
    loaded(folder)
    name = "model.decoder.layers.1.fc2.weight"
    tiny_text.damaged(folder, "removed", name)
    with pytest.raises(LoadFailed, match="fc2"):
        loaded(folder)


@pytest.mark.parametrize("dtype", ["auto", "fp32"])
def test_it_loads_again_after_unload(trained: Path, dtype: str) -> None:
    engine = loaded(trained, dtype)
    before = summarized(engine, TEXTS[3])
    engine.unload()
    engine.unload()
    engine.load(lambda fraction, stage: None)
    assert summarized(engine, TEXTS[3]) == before


@pytest.mark.parametrize("dtype", ["auto", "fp32"])
def test_t5_gets_its_prefix(tmp_path: Path, dtype: str) -> None:
    engine = loaded(tiny_text.t5_summarizer(tmp_path / "m"), dtype)
    (unit,) = next(engine.steps(SummaryInput(text=TEXTS[0]), lambda fraction, stage: None))
    assert engine.tokenizer.text(unit.data.tokens.ids) == f"summarize: {TEXTS[0]}"
    assert unit.data.settings.beams == 2
    assert summarized(engine, TEXTS[0], max_tokens=5).summary_tokens <= 5
    assert summarized(engine, tiny_text.text_about("joy", 100)).chunks > 5


def test_both_runtimes_write_the_same_for_t5_and_pegasus(tmp_path: Path) -> None:
    for name in ("t5_summarizer", "pegasus_summarizer"):
        folder = getattr(tiny_text, name)(tmp_path / name)
        greedy = [
            [engine.forward([unit])[0] for unit in units]
            for engine in (loaded(folder), loaded(folder, "fp32"))
            for units in [
                [
                    replace(u, data=replace(u.data, settings=replace(u.data.settings, beams=1)))
                    for text in TEXTS
                    for u in next(engine.steps(SummaryInput(text=text), lambda f, s: None))
                ]
            ]
        ]
        assert greedy[0] == greedy[1], name
        assert any(greedy[0]), name


def test_int8_is_refused_where_there_is_none(tmp_path: Path) -> None:
    folder = tiny_text.summarizer(tmp_path / "m")
    config = transformers.AutoConfig.from_pretrained(folder).to_dict()
    tiny_text.write_json(folder / "config.json", {**config, "model_type": "led"})
    with pytest.raises(LoadFailed, match=r"int8.*DTYPE"):
        build_summarizer(folder, tiny_text.runtime(tmp_path, "int8"))


def test_chunks_end_with_sentences_and_cover_the_text() -> None:
    text = "One two three. Four five! Six? Seven eight nine ten. Eleven."
    words = text.split()
    offsets, start = [], 0
    for word in words:
        start = text.index(word, start)
        offsets.append((start, start + len(word)))
        start += len(word)
    borders = sentence_borders(text, offsets)
    assert [words[border] for border in borders] == ["Four", "Six?", "Seven", "Eleven."]
    for room in range(4, 15):
        ranges = chunks(len(words), borders, room)
        assert ranges[0][0] == 0
        assert ranges[-1][1] == len(words)
        assert all(a[1] == b[0] for a, b in pairwise(ranges))
        assert all(0 < end - start <= room for start, end in ranges)
    assert [end for _, end in chunks(len(words), borders, 6)][:-1] == [6]
    assert [end - start for start, end in chunks(100, [], 30)] == [25, 25, 25, 25]
