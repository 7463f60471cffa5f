"""The tasks through the gateway, on real files, with the starter models."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
from PIL import Image, ImageDraw, ImageFont

from training.word_errors import distance

from .conftest import NewPerson
from .person import Person, first_admin
from .stack import MODELS, ROOT, Stack, wait_for
from .studio import EXAMPLES

SPEECH = ROOT / "tests" / "media" / "speech"
WORD_ERRORS = 0.2
"""Highest share of wrong words that the small starter model may make in clear recordings."""


@pytest.fixture(scope="module")
def key(admin: Person) -> str:
    return admin.api_key()


@pytest.fixture(scope="module")
def client(stack: Stack, key: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{stack.url}/v1", api_key=key, max_retries=2, timeout=120) as sdk:
        yield sdk


@pytest.fixture(scope="module")
def http(stack: Stack, key: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=stack.url, headers=headers, timeout=120, trust_env=False) as made:
        yield made


def recordings() -> list[tuple[Path, str]]:
    """Clips and what is said in them."""
    with (SPEECH / "transcripts.tsv").open() as file:
        rows = csv.DictReader(file, ("file", "text"), delimiter="\t")
        return [(SPEECH / row["file"], row["text"]) for row in rows]


def words(text: str) -> list[str]:
    """Words without case and punctuation."""
    return re.findall(r"[a-z']+", text.lower())


def loaded(http: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The answer, asked for until the model is loaded."""

    def asked() -> httpx.Response | None:
        answer = http.post(path, json=body)
        is_loading = answer.status_code == 503 and "model_loading" in answer.text
        return None if is_loading else answer

    answer = wait_for("an answer", asked, 240)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_recordings_are_written_down(client: openai.OpenAI) -> None:
    wrong = total = 0
    for path, text in recordings():
        with path.open("rb") as file:
            heard = client.audio.transcriptions.create(model="whisper-1", file=file).text
        print(f"{path.name}: {heard!r}")
        wrong += distance(words(text), words(heard))
        total += len(words(text))
    print(f"word error rate {wrong / total:.3f} over {total} words")
    assert wrong / total < WORD_ERRORS


def test_the_formats_of_a_transcription(client: openai.OpenAI, http: httpx.Client) -> None:
    path, text = recordings()[0]
    with path.open("rb") as file:
        verbose = client.audio.transcriptions.create(
            model="whisper-1",
            file=file,
            response_format="verbose_json",
            timestamp_granularities=["segment", "word"],
        )
    assert verbose.language == "en"
    assert verbose.segments
    assert verbose.segments[-1].end <= float(verbose.duration) + 0.1
    assert verbose.words
    said = {}
    for form in ("json", "text", "srt", "vtt"):
        answer = http.post(
            "/v1/audio/transcriptions",
            files={"file": (path.name, path.read_bytes())},
            data={"response_format": form},
        )
        assert answer.status_code == 200, answer.text
        said[form] = answer.text
    assert said["vtt"].startswith("WEBVTT")
    assert " --> " in said["srt"]
    assert said["srt"].startswith("1\n00:00:0")
    first = words(text)[0]
    assert all(first in words(form) for form in said.values())


def test_similar_texts_are_near(client: openai.OpenAI) -> None:
    texts = [
        "The ship entered the harbour at dawn.",
        "At sunrise the vessel came into port.",
        "The recipe needs two eggs and some flour.",
    ]
    answer = client.embeddings.create(model="text-embedding-3-small", input=texts)
    a, b, c = (np.array(item.embedding) for item in answer.data)
    assert a @ a == pytest.approx(1, abs=1e-3)
    assert a @ b > 0.5 > a @ c
    assert a @ b > a @ c + 0.3


def page(lines: list[str]) -> bytes:
    """A page of text as a scanner gives it: a little grey, a little noisy."""
    font = ImageFont.load_default(28)
    image = Image.new("L", (900, 60 + 60 * len(lines)), 245)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((40, 30 + 60 * number), line, fill=20, font=font)
    pixels = np.asarray(image, np.int16)
    noise = np.random.default_rng(1).integers(-8, 9, pixels.shape)
    target = io.BytesIO()
    Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)).save(target, "PNG")
    return target.getvalue()


def test_a_scanned_page_is_read(http: httpx.Client) -> None:
    lines = ["Harbour office", "Invoice 4711 of 3 May", "Total 128.50"]
    answer = http.post("/v1/ocr", files={"file": ("page.png", page(lines))})
    assert answer.status_code == 200, answer.text
    read = [line["text"] for line in answer.json()["lines"]]
    print(read)
    assert [re.sub(r"\s", "", line) for line in read] == [re.sub(r"\s", "", x) for x in lines]


MINUTES = (EXAMPLES / "meeting-notes.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (MINUTES, ("decided to take the first offer", "Peter will sign the contract")),
        (
            "Meeting on Tuesday with Anna, Ben and Carla. Ben reported that the new server arrived "
            "last week and was installed on Friday. Carla said that the backup fails at night. "
            "We agreed to move the release to the 14th of May. Anna will write to the customer by "
            "Thursday. Ben will look into the backup before the next meeting.",
            ("move the release to the 14th of May", "Anna will write to the customer"),
        ),
        (
            "It lives in colonies of up to sixty thousand animals. Most of them are workers, which "
            "are female and do not lay eggs. A queen can live for five years. The honey bee is an "
            "insect that was domesticated for its honey and wax. In winter the colony forms a ball "
            "to keep warm.",
            ("The honey bee is an insect",),
        ),
    ],
)
def test_a_text_is_summed_up(http: httpx.Client, text: str, says: tuple[str, ...]) -> None:
    answer = loaded(http, "/inference/text_summarization", {"text": text})
    summary = answer["result"]["summary"]
    print(summary)
    assert all(part in summary for part in says)
    assert len(summary) < len(text) / 2
    assert summary[0].isupper()
    assert summary.endswith(".")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I am so happy that you came, thank you!", "joy"),
        ("I hate this, it makes me furious.", "anger"),
        ("I miss my grandmother so much, I could cry.", "sadness"),
        ("Wow, I did not expect that at all!", "surprise"),
        ("I am terrified of walking home alone in the dark.", "fear"),
        ("The smell was disgusting, I nearly threw up.", "disgust"),
        ("The meeting begins at nine in room four.", "neutral"),
    ],
)
def test_an_emotion_is_told(http: httpx.Client, text: str, label: str) -> None:
    result = loaded(http, "/inference/emotion_detection", {"text": text})["result"]
    print(text, result)
    assert result["label"] == label
    assert sum(result["scores"].values()) == pytest.approx(1, abs=1e-3)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The administrator of a stack that has the chat model alone."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "models").mkdir()
    (folder / "models" / "chat").symlink_to(MODELS / "chat")
    with Stack(folder / "data", MODELS_DIR=str(folder / "models")) as running:
        headers = {"Authorization": f"Bearer {first_admin(running).api_key()}"}
        with httpx.Client(base_url=running.url, headers=headers, trust_env=False) as made:
            yield made


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/inference/emotion_detection", {"text": "What a day"}),
        ("/inference/text_summarization", {"text": "What a day"}),
        ("/inference/audio_deepfake", {"audio": "UklGRg=="}),
        ("/inference/face_deepfake", {"image": "iVBORw=="}),
        ("/v1/rerank", {"query": "a", "documents": ["b"]}),
    ],
)
def test_a_slot_without_weights_names_the_command(
    bare: httpx.Client, path: str, body: dict[str, Any]
) -> None:
    answer = bare.post(path, json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (503, "model_not_installed")
    commands = r"`(make models-starter|atoll-inference (models fetch|finetune)) ?"
    assert re.search(commands, error["message"])


def test_a_task_needs_a_credential(stack: Stack) -> None:
    for path in ("/inference/speech_recognition", "/v1/embeddings", "/v1/ocr", "/v1/rerank"):
        answer = httpx.post(stack.url + path, json={}, timeout=30, trust_env=False)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authenticated")


def test_a_signed_in_browser_may_ask_too(person: NewPerson) -> None:
    answer = person().http.post("/v1/embeddings", json={"input": "a harbour"}, timeout=120)
    assert answer.status_code == 200, answer.text


def test_damaged_files_are_refused(http: httpx.Client) -> None:
    for path, name in (("/v1/audio/transcriptions", "a.wav"), ("/v1/ocr", "a.png")):
        for content in (b"", b"RIFF", b"\x89PNG\r\n\x1a\n", b"no such thing " * 100):
            answer = http.post(path, files={"file": (name, content)})
            assert 400 <= answer.status_code < 500, (path, content[:10], answer.text)
            assert answer.json()["error"]["message"]


def test_usage_is_counted(person: NewPerson) -> None:
    someone = person()
    someone.http.post("/v1/embeddings", json={"input": "a harbour and a ship"}, timeout=120)

    def counted() -> bool | None:
        items = someone.http.get("/api/usage").json()["items"]
        return True if any(item["prompt_tokens"] > 0 for item in items) else None

    wait_for("usage of the embedding", counted, 30)
