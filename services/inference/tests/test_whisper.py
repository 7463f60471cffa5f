"""Speech recognition on real recordings, and what is refused."""

import csv
import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from tiny_whisper import make_tiny_whisper

from atoll_inference.engines.base import InvalidInput, LoadFailed, Stopped
from atoll_inference.engines.converted import ctranslate2_folder
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.tasks.speech import SpeechInput, SpeechResult
from atoll_inference.engines.whisper import WhisperEngine
from atoll_inference.engines.whisper_reference import WhisperReferenceEngine
from atoll_inference.engines.whisper_steps import ROUND, WhisperSteps
from atoll_inference.media.audio import Audio, decode_audio, mono, resample
from atoll_inference.media.limits import MediaLimits

SPEECH = Path(__file__).resolve().parents[3] / "tests" / "media" / "speech"
RATE = 16_000
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def silent_progress(fraction: float, stage: str) -> None:
    assert 0 <= fraction <= 1
    assert stage


@pytest.fixture(scope="session")
def tiny_en(models_dir: Path) -> Path:
    folder = models_dir / "speech_recognition" / "whisper-tiny.en"
    if not (folder / "model.safetensors").is_file():
        pytest.fail(f"{folder} is not installed; run `make models-starter` first")
    return folder


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return Runtime(device="cpu", threads=2, cache_dir=tmp_path_factory.mktemp("cache"))


def loaded(engine: WhisperSteps) -> Any:
    engine.load(silent_progress)
    engine.warmup()
    return engine


def typed(runtime: Runtime, dtype: Any) -> Runtime:
    return Runtime(device="cpu", dtype=dtype, threads=2, cache_dir=runtime.cache_dir)


@pytest.fixture(scope="session")
def whisper(tiny_en: Path, runtime: Runtime) -> WhisperEngine:
    """int8, as it is served on a CPU."""
    engine: WhisperEngine = loaded(WhisperEngine(tiny_en, runtime))
    return engine


@pytest.fixture(scope="session")
def reference(tiny_en: Path, runtime: Runtime) -> WhisperReferenceEngine:
    engine: WhisperReferenceEngine = loaded(WhisperReferenceEngine(tiny_en, typed(runtime, "fp32")))
    return engine


@pytest.fixture(scope="session")
def recordings() -> dict[str, tuple[Audio, str]]:
    """Recordings and what is said in them."""
    with (SPEECH / "transcripts.tsv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    return {name: (decode_audio(SPEECH / name, MediaLimits()), text) for name, text in rows}


@pytest.fixture(scope="session")
def broadcast(recordings: dict[str, tuple[Audio, str]]) -> tuple[Audio, list[tuple[float, str]]]:
    """All recordings, 3 s apart, in stereo at 44.1 kHz; and when each begins."""
    pieces: list[NDArray[np.float32]] = []
    begins: list[tuple[float, str]] = []
    frames = 0
    for audio, text in recordings.values():
        pieces.append(np.zeros((3 * 44_100, 1), np.float32))
        frames += len(pieces[-1])
        begins.append((frames / 44_100, text))
        pieces.append(resample(audio, 44_100).samples)
        frames += len(pieces[-1])
    return Audio(np.concatenate(pieces).repeat(2, axis=1), 44_100), begins


def words(text: str) -> list[str]:
    text = re.sub(r"\d", lambda digit: f" {DIGITS[int(digit[0])]} ", text.lower())
    return re.sub(r"[^a-z' ]", " ", text).split()


def errors(truth: str, heard: str) -> tuple[int, int]:
    """Word substitutions, insertions and deletions, and the words of the truth."""
    wanted, found = words(truth), words(heard)
    row = list(range(len(found) + 1))
    for i, word in enumerate(wanted, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(found, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1], len(wanted)


def error_rate(pairs: Sequence[tuple[str, str]]) -> float:
    counts = [errors(truth, heard) for truth, heard in pairs]
    return sum(wrong for wrong, _ in counts) / sum(total for _, total in counts)


def assert_sound(result: SpeechResult) -> None:
    """Times are in order and within the recording, and the text is that of the segments."""
    at = 0.0
    for segment in result.segments:
        assert at <= segment.start <= segment.end <= result.duration
        assert segment.text == segment.text.strip() != ""
        at = segment.end
    assert words(result.text) == words(" ".join(s.text for s in result.segments))
    at = 0.0
    for word in result.words:
        assert at <= word.start <= word.end <= result.duration
        at = word.end


def noise(seconds: float, loudness: float) -> Audio:
    samples = np.random.default_rng(0).normal(0, loudness, (round(seconds * RATE), 1))
    return Audio(samples.astype(np.float32), RATE)


def test_known_recordings_are_written_down(
    whisper: WhisperEngine,
    recordings: dict[str, tuple[Audio, str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    pairs = []
    for audio, text in recordings.values():
        result = whisper.run(SpeechInput(audio=audio), silent_progress)
        assert_sound(result)
        assert result.language == "en"
        assert result.duration == pytest.approx(audio.seconds, abs=0.001)
        assert result.words == ()
        pairs.append((text, result.text))
    rate = error_rate(pairs)
    with capsys.disabled():
        print(f"\nWhisper tiny.en int8: word error rate {rate:.1%} of {len(pairs)} recordings")
    assert rate <= 0.1, pairs


def test_a_long_recording_is_heard_to_its_end_and_times_are_those_of_the_recording(
    whisper: WhisperEngine, broadcast: tuple[Audio, list[tuple[float, str]]]
) -> None:
    audio, begins = broadcast
    assert audio.seconds > 40
    result = whisper.run(SpeechInput(audio=audio, word_times=True), silent_progress)
    assert_sound(result)
    assert error_rate([(" ".join(text for _, text in begins), result.text)]) <= 0.1
    for begin, text in begins:
        first = words(text)[0]
        near = [word for word in result.words if abs(word.start - begin) < 0.7]
        assert first in [w for word in near for w in words(word.word)], (begin, text, near)
        pause = [s for s in result.segments if begin - 2.3 < s.start < begin - 0.7]
        assert pause == []
    assert words(" ".join(word.word for word in result.words)) == words(result.text)


@pytest.mark.parametrize(
    "audio",
    [
        Audio(np.zeros((10 * RATE, 1), np.float32), RATE),
        Audio(np.zeros((1, 2), np.float32), 48_000),
        Audio(np.ones((5 * RATE, 1), np.float32), RATE),
        noise(10, 0.0001),
        noise(10, 0.1),
        noise(10, 1.0),
        Audio(np.sin(np.arange(10 * RATE) * 0.17).astype(np.float32)[:, None], RATE),
    ],
    ids=["silence", "one sample", "constant", "hiss", "noise", "loud noise", "tone"],
)
def test_where_nobody_speaks_nothing_is_written(whisper: WhisperEngine, audio: Audio) -> None:
    result = whisper.run(SpeechInput(audio=audio, word_times=True), silent_progress)
    assert (result.text, result.segments, result.words) == ("", (), ())
    assert result.language == "en"


def test_a_batch_gives_the_answers_of_single_calls(
    whisper: WhisperEngine, recordings: dict[str, tuple[Audio, str]]
) -> None:
    items = [SpeechInput(audio=audio, word_times=True) for audio, _ in recordings.values()]
    items += [
        SpeechInput(audio=noise(3, 0.1)),
        SpeechInput(audio=items[0].audio, prompt="agent login"),
        SpeechInput(audio=items[1].audio),
    ]
    single = [whisper.run(item) for item in items]
    order = list(range(len(items)))
    random.Random(1).shuffle(order)
    for index, result in zip(order, whisper.run_batch([items[i] for i in order]), strict=True):
        assert result.text == single[index].text
        for one, other in zip(result.segments, single[index].segments, strict=True):
            assert one.start == pytest.approx(other.start, abs=0.04)
            assert one.end == pytest.approx(other.end, abs=0.04)
        for word, same in zip(result.words, single[index].words, strict=True):
            assert word.word == same.word
            assert word.start == pytest.approx(same.start, abs=0.1)


def test_both_runtimes_hear_the_same(
    tiny_en: Path,
    runtime: Runtime,
    whisper: WhisperEngine,
    reference: WhisperReferenceEngine,
    recordings: dict[str, tuple[Audio, str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    items = [SpeechInput(audio=audio, word_times=True) for audio, _ in recordings.values()]
    wanted = reference.run_batch(items)
    full = loaded(WhisperEngine(tiny_en, typed(runtime, "fp32")))
    for one, other in zip(full.run_batch(items), wanted, strict=True):
        assert_sound(other)
        assert one.text == other.text
        assert len(one.segments) == len(other.segments)
        for word, same in zip(one.words, other.words, strict=True):
            assert word.word == same.word
            assert word.start == pytest.approx(same.start, abs=0.1)
            assert word.end == pytest.approx(same.end, abs=0.1)
    full.unload()
    rate = error_rate(
        [(a.text, b.text) for a, b in zip(wanted, whisper.run_batch(items), strict=True)]
    )
    with capsys.disabled():
        print(f"\nint8 differs from transformers fp32 in {rate:.1%} of the words")
    assert rate <= 0.05


def test_bf16_hears_nearly_the_same(
    tiny_en: Path, runtime: Runtime, recordings: dict[str, tuple[Audio, str]]
) -> None:
    engine = loaded(WhisperReferenceEngine(tiny_en, typed(runtime, "bf16")))
    audio, text = recordings["check-number-dial-again.wav"]
    assert error_rate([(text, engine.run(SpeechInput(audio=audio)).text)]) <= 0.15


def test_a_prompt_is_heeded_and_cannot_smuggle_in_commands(
    whisper: WhisperEngine, recordings: dict[str, tuple[Audio, str]]
) -> None:
    audio, text = recordings["agent-incorrect.wav"]
    result = whisper.run(SpeechInput(audio=audio, prompt="The agent enters numbers."))
    assert error_rate([(text, result.text)]) <= 0.2
    whisper.run(SpeechInput(audio=audio, prompt="Longer than the context. " * 200))
    with pytest.raises(InvalidInput, match="special token") as refused:
        whisper.run(SpeechInput(audio=audio, prompt="<|endoftext|> nothing"))
    assert refused.value.param == "prompt"


def test_an_english_model_takes_english_alone(
    whisper: WhisperEngine, recordings: dict[str, tuple[Audio, str]]
) -> None:
    audio, _ = recordings["vm-goodbye.wav"]
    for code in ("en", "EN", "en-US"):
        assert words(whisper.run(SpeechInput(audio=audio, language=code)).text) == ["goodbye"]
    with pytest.raises(InvalidInput, match="English alone") as refused:
        whisper.run(SpeechInput(audio=audio, language="de"))
    assert refused.value.param == "language"


def test_a_temperature_samples_and_zero_does_not(
    whisper: WhisperEngine, recordings: dict[str, tuple[Audio, str]]
) -> None:
    audio, _ = recordings["confbridge-lock-extended.wav"]
    greedy = {whisper.run(SpeechInput(audio=audio)).text for _ in range(2)}
    assert len(greedy) == 1
    sampled = {whisper.run(SpeechInput(audio=audio, temperature=1.0)).text for _ in range(6)}
    assert len(sampled) > 1


def test_a_multilingual_model_finds_the_language_and_names_those_it_has(
    tmp_path: Path, runtime: Runtime, recordings: dict[str, tuple[Audio, str]]
) -> None:
    folder = make_tiny_whisper(tmp_path / "tiny", multilingual=True)
    one = loaded(WhisperEngine(folder, typed(runtime, "fp32")))
    other = loaded(WhisperReferenceEngine(folder, typed(runtime, "fp32")))
    audio, _ = recordings["all-circuits-busy-now.wav"]
    for engine in (one, other):
        with pytest.raises(InvalidInput, match="none of this model's languages") as refused:
            engine.run(SpeechInput(audio=audio, language="it"))
        assert "de, en, es, fr, zh" in str(refused.value)
        assert engine.run(SpeechInput(audio=audio, language="de-AT")).language == "de"
        silence = SpeechInput(audio=Audio(np.zeros((RATE, 1), np.float32), RATE))
        assert engine.run(silence).language == "und"
    way = one.steps(SpeechInput(audio=audio, word_times=True), silent_progress)
    units = next(way)
    (heard,), (same,) = one.forward(units), other.forward(units)
    assert set(heard.languages) == {"de", "en", "es", "fr", "zh"}
    assert sum(heard.languages.values()) == pytest.approx(1, abs=1e-4)
    assert heard.languages == pytest.approx(same.languages, abs=1e-3)
    assert heard.language == same.language == max(heard.languages, key=heard.languages.get)
    assert one.run(SpeechInput(audio=audio)).language == heard.language
    assert heard.phrases == same.phrases
    assert heard.log_probability == pytest.approx(same.log_probability, abs=0.01)
    assert heard.no_speech == pytest.approx(same.no_speech, abs=0.001)


def test_a_long_recording_is_prepared_in_rounds_and_can_be_stopped(
    whisper: WhisperEngine, recordings: dict[str, tuple[Audio, str]]
) -> None:
    speech = mono(resample(recordings["queue-periodic-announce.wav"][0], RATE))
    minutes = np.tile(speech, 200)[:, None]
    audio = Audio(minutes, RATE)
    seen: list[float] = []

    def watch(fraction: float, stage: str) -> None:
        seen.append(fraction)
        if fraction > 0.7:
            raise Stopped("nobody waits")

    way = whisper.steps(SpeechInput(audio=audio), watch)
    units = next(way)
    assert len(units) == ROUND
    output = whisper.forward(units[:1])[0]
    with pytest.raises(Stopped):
        while True:
            units = way.send([output] * len(units))
            assert len(units) <= ROUND
    assert seen == sorted(seen)
    assert len(seen) > 3


@pytest.mark.parametrize("engine_class", [WhisperEngine, WhisperReferenceEngine])
@pytest.mark.parametrize("damage", ["removed", "renamed", "mis-shaped", "truncated", "tokenizer"])
def test_a_damaged_checkpoint_is_refused_by_name(
    engine_class: Callable[..., WhisperSteps], damage: str, tmp_path: Path, runtime: Runtime
) -> None:
    folder = make_tiny_whisper(tmp_path / "tiny")
    name = "model.decoder.layers.1.encoder_attn.k_proj.weight"
    weights = folder / "model.safetensors"
    tensors = load_file(weights)
    expected = name
    if damage == "removed":
        del tensors[name]
    elif damage == "renamed":
        tensors["model.decoder.odd"] = tensors.pop(name)
    elif damage == "mis-shaped":
        tensors[name] = tensors[name][:32].contiguous()
    save_file(tensors, weights, metadata={"format": "pt"})
    if damage == "truncated":
        weights.write_bytes(weights.read_bytes()[:-1000])
        expected = "model.safetensors"
    elif damage == "tokenizer":
        (folder / "tokenizer.json").write_text("{}")
        expected = "tokenizer"
    with pytest.raises(LoadFailed, match=re.escape(expected)):
        engine_class(folder, runtime).load(silent_progress)


def test_an_unloaded_engine_loads_again(
    tiny_en: Path, runtime: Runtime, recordings: dict[str, tuple[Audio, str]]
) -> None:
    engine = WhisperEngine(tiny_en, runtime)
    engine.unload()
    assert engine.device == "cpu"
    assert 40e6 < engine.bytes_estimate() < 2e9
    texts = []
    for _ in range(2):
        loaded(engine)
        texts.append(engine.run(SpeechInput(audio=recordings["vm-goodbye.wav"][0])).text)
        engine.unload()
    assert texts[0] == texts[1] != ""


def test_a_number_format_that_the_processor_lacks_is_refused(
    tiny_en: Path, runtime: Runtime
) -> None:
    with pytest.raises(LoadFailed, match="Set DTYPE to auto"):
        WhisperEngine(tiny_en, typed(runtime, "fp16")).load(silent_progress)
    with pytest.raises(LoadFailed, match="runs on CTranslate2"):
        WhisperReferenceEngine(tiny_en, typed(runtime, "int8")).load(silent_progress)
    with pytest.raises(LoadFailed, match="DEVICE"):
        WhisperEngine(tiny_en, Runtime(device="cuda:7", cache_dir=runtime.cache_dir))


def test_a_converted_folder_is_used_as_it_is(tmp_path: Path) -> None:
    folder = make_tiny_whisper(tmp_path / "tiny")
    runtime = Runtime(device="cpu", threads=2, cache_dir=tmp_path / "cache")
    made = ctranslate2_folder(folder, runtime, "float32", copy_files=("tokenizer.json", "absent"))
    shutil.copytree(made, tmp_path / "own")
    nowhere = Runtime(device="cpu", threads=2, cache_dir=tmp_path / "nowhere")
    loaded(WhisperEngine(tmp_path / "own", nowhere)).unload()
    assert not (tmp_path / "nowhere").exists()


def test_conversion_happens_once_and_again_when_a_file_changes(tmp_path: Path) -> None:
    folder = make_tiny_whisper(tmp_path / "tiny")
    runtime = Runtime(device="cpu", threads=2, cache_dir=tmp_path / "cache")
    first = ctranslate2_folder(folder, runtime, "int8", copy_files=("tokenizer.json",))
    (first / "mark").touch()
    again = ctranslate2_folder(folder, runtime, "int8", copy_files=("tokenizer.json",))
    assert (again / "mark").exists()
    wide = ctranslate2_folder(folder, runtime, "float32", copy_files=("tokenizer.json",))
    tokenizer = folder / "tokenizer.json"
    tokenizer.write_text(json.dumps(json.loads(tokenizer.read_text()), indent=1))
    changed = ctranslate2_folder(folder, runtime, "int8", copy_files=("tokenizer.json",))
    assert not (changed / "mark").exists()
    assert (changed / "tokenizer.json").read_text() == tokenizer.read_text()
    left = [path for path in first.parent.iterdir() if path.is_dir()]
    assert sorted(left) == sorted([changed, wide])


def test_two_processes_convert_the_same_checkpoint_once(tmp_path: Path) -> None:
    folder = make_tiny_whisper(tmp_path / "tiny")
    program = (
        "import sys; from pathlib import Path\n"
        "from atoll_inference.engines.converted import ctranslate2_folder\n"
        "from atoll_inference.engines.runtime import Runtime\n"
        "runtime = Runtime(cache_dir=Path(sys.argv[2]))\n"
        "made = ctranslate2_folder(Path(sys.argv[1]), runtime, 'int8')\n"
        "print(made, (made / 'model.bin').stat().st_ino)"
    )
    command = [sys.executable, "-c", program, str(folder), str(tmp_path / "cache")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = {process.communicate()[0] for process in both}
    assert [process.returncode for process in both] == [0, 0]
    (answer,) = answers
    made = Path(answer.split()[0])
    assert [path for path in made.parent.iterdir() if path.is_dir()] == [made]


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    folder = make_tiny_whisper(tmp_path / "tiny")
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(LoadFailed, match="choose another DATA_DIR"):
        ctranslate2_folder(folder, Runtime(cache_dir=tmp_path / "cache"), "int8")
    assert list(tmp_path.glob("**/.new-*")) == []
