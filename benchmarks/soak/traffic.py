"""Requests of every kind, some of them poison, some abandoned by their client.

Every input is unique, so that nothing is answered from a cache. What an answer must look like is
checked for each; the kinds and their shares are those of a busy day.
"""

import asyncio
import base64
import io
import random
import time
import wave
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
from PIL import Image

SHARES = {
    "emotion": 0.30,
    "embeddings": 0.30,
    "rerank": 0.15,
    "speech": 0.10,
    "picture": 0.10,
    "summary": 0.05,
}
POISON = 0.01
ABANDONED = 0.02
WORDS = [
    "harbour",
    "tide",
    "ship",
    "letter",
    "morning",
    "captain",
    "lantern",
    "bread",
    "window",
    "river",
    "glad",
    "angry",
    "afraid",
    "calm",
    "market",
    "road",
    "winter",
    "summer",
    "garden",
    "music",
    "silver",
    "copper",
    "the",
    "a",
    "of",
    "and",
    "with",
    "under",
    "over",
    "quickly",
]


@dataclass
class Tally:
    """What became of the requests. `faults` should stay empty."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    abandoned: int = 0
    retried: int = 0
    faults: list[str] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    not_ready: int = 0
    probes: int = 0
    rss: list[int] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Requests that came to an end."""
        return sum(self.done.values()) + sum(self.refused.values()) + self.abandoned


def sentence(random_: random.Random, words: int) -> str:
    """Words in a row that nobody sent before."""
    return " ".join(random_.choice(WORDS) for _ in range(words)) + f" {random_.random()}."


def noise_wav(random_: random.Random, seconds: float) -> bytes:
    """A tone that wavers in noise, 16 kHz mono."""
    generator = np.random.default_rng(random_.getrandbits(32))
    times = np.arange(int(seconds * 16000)) / 16000
    tone = 0.3 * np.sin(2 * np.pi * (200 + 50 * np.sin(5 * times)) * times)
    samples = tone + 0.05 * generator.standard_normal(len(times))
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes((np.clip(samples, -1, 1) * 32000).astype("<i2").tobytes())
    return target.getvalue()


def picture_png(random_: random.Random, side: int = 64) -> bytes:
    """Random pixels."""
    generator = np.random.default_rng(random_.getrandbits(32))
    target = io.BytesIO()
    pixels = generator.integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(target, "PNG")
    return target.getvalue()


@dataclass(frozen=True)
class Call:
    """One request and the check of its answer."""

    kind: str
    path: str
    options: dict[str, Any]
    check: Callable[[httpx.Response], bool]
    poison: bool = False


def _emotion(random_: random.Random, poison: bool) -> Call:
    text: Any = 7 if poison else sentence(random_, random_.randint(3, 60))
    return Call(
        "emotion",
        "/inference/emotion_detection",
        {"json": {"text": text}},
        lambda r: abs(sum(r.json()["result"]["scores"].values()) - 1) < 1e-3,
        poison,
    )


def _embeddings(random_: random.Random, poison: bool) -> Call:
    count = random_.randint(1, 4)
    texts = [sentence(random_, random_.randint(3, 80)) for _ in range(count)]
    if poison:
        texts[0] = ""
    return Call(
        "embeddings",
        "/v1/embeddings",
        {"json": {"input": texts}},
        lambda r: len(r.json()["data"]) == count,
        poison,
    )


def _rerank(random_: random.Random, poison: bool) -> Call:
    documents = [sentence(random_, random_.randint(5, 60)) for _ in range(8)]
    return Call(
        "rerank",
        "/v1/rerank",
        {"json": {"query": sentence(random_, 6), "documents": [] if poison else documents}},
        lambda r: sorted(x["index"] for x in r.json()["results"]) == list(range(8)),
        poison,
    )


def _speech(random_: random.Random, poison: bool) -> Call:
    audio = noise_wav(random_, random_.uniform(2, 5))
    if poison:
        audio = audio[: random_.randint(0, 40)]
    return Call(
        "speech",
        "/v1/audio/transcriptions",
        {"files": {"file": ("a.wav", audio)}},
        lambda r: isinstance(r.json()["text"], str),
        poison,
    )


def _picture(random_: random.Random, poison: bool) -> Call:
    png = picture_png(random_)
    if poison:
        png = png[:200]
    return Call(
        "picture",
        "/inference/video_enhancement",
        {"json": {"image": base64.b64encode(png).decode()}},
        lambda r: (r.json()["result"]["width"], r.json()["result"]["height"]) == (128, 128),
        poison,
    )


def _summary(random_: random.Random, poison: bool) -> Call:
    text = "" if poison else sentence(random_, random_.randint(40, 200))
    return Call(
        "summary",
        "/inference/text_summarization",
        {"json": {"text": text, "max_tokens": 16, "min_tokens": 0}},
        lambda r: isinstance(r.json()["result"]["summary"], str),
        poison,
    )


MAKERS: dict[str, Callable[[random.Random, bool], Call]] = {
    "emotion": _emotion,
    "embeddings": _embeddings,
    "rerank": _rerank,
    "speech": _speech,
    "picture": _picture,
    "summary": _summary,
}


class Traffic:
    """Sends `count` requests from `clients` clients at once.

    Args:
        base_url: of the gateway.
        headers: the credential.
        rss: resident bytes of the inference process, sampled once a second.
    """

    def __init__(
        self,
        base_url: str,
        headers: dict[str, str],
        *,
        seed: int = 1,
        rss: Callable[[], int] = lambda: 0,
    ) -> None:
        self.tally = Tally()
        self._base_url = base_url
        self._headers = headers
        self._random = random.Random(seed)
        self._rss = rss

    async def send(self, count: int, clients: int, seconds: float) -> Tally:
        """Send everything; stops by itself after `seconds`, which counts as a fault."""
        queue: asyncio.Queue[int] = asyncio.Queue()
        for number in range(count):
            queue.put_nowait(number)
        limits = httpx.Limits(max_connections=clients + 4)
        async with httpx.AsyncClient(
            base_url=self._base_url,
            headers=self._headers,
            timeout=120,
            limits=limits,
            trust_env=False,
        ) as http:
            watch = asyncio.create_task(self._watch(http))
            try:
                async with asyncio.timeout(seconds):
                    await asyncio.gather(*(self._client(http, queue) for _ in range(clients)))
            except TimeoutError:
                self.tally.faults.append(f"{queue.qsize()} requests left after {seconds:.0f} s")
            finally:
                watch.cancel()
        return self.tally

    async def _client(self, http: httpx.AsyncClient, queue: "asyncio.Queue[int]") -> None:
        while not queue.empty():
            queue.get_nowait()
            kind = self._random.choices(list(SHARES), list(SHARES.values()))[0]
            call = MAKERS[kind](self._random, self._random.random() < POISON)
            leaves = not call.poison and self._random.random() < ABANDONED
            if leaves:
                await self._abandon(http, call, self._random.uniform(0.001, 0.3))
            else:
                await self._finish(http, call)

    async def _abandon(self, http: httpx.AsyncClient, call: Call, after: float) -> None:
        try:
            async with asyncio.timeout(after):
                await http.post(call.path, **call.options)
        except (TimeoutError, httpx.TransportError):
            pass
        self.tally.abandoned += 1

    async def _finish(self, http: httpx.AsyncClient, call: Call) -> None:
        started = time.monotonic()
        for _ in range(200):
            try:
                answer = await http.post(call.path, **call.options)
            except httpx.TransportError as error:
                self.tally.faults.append(f"{call.kind}: {error!r}")
                return
            if answer.status_code != 429:
                break
            self.tally.retried += 1
            await asyncio.sleep(float(answer.headers.get("retry-after", "1")) / 2)
        self.tally.seconds.setdefault(call.kind, []).append(time.monotonic() - started)
        self._judge(call, answer)

    def _judge(self, call: Call, answer: httpx.Response) -> None:
        code = answer.status_code
        if call.poison:
            self.tally.refused[call.kind] += 1
            if not 400 <= code < 500 or "error" not in answer.json():
                self.tally.faults.append(f"poison {call.kind}: {code} {answer.text[:200]}")
            return
        self.tally.done[call.kind] += 1
        if code != 200 or not call.check(answer):
            self.tally.faults.append(f"{call.kind}: {code} {answer.text[:300]}")

    async def _watch(self, http: httpx.AsyncClient) -> None:
        """Ask once a second whether the service is ready; it is, all the time."""
        while True:
            self.tally.rss.append(self._rss())
            self.tally.probes += 1
            try:
                async with asyncio.timeout(10):
                    ready = (await http.get("/v2/health/ready")).status_code == 200
            except (TimeoutError, httpx.TransportError):
                ready = False
            self.tally.not_ready += not ready
            await asyncio.sleep(1)
