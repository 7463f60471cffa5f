"""What the models that come with a release make of sounds and pictures they did not learn from."""

import io
import wave
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from .person import Person
from .stack import ROOT, Stack, wait_for

SOUNDS = ROOT / "tests" / "media" / "denoising"
RATE = 8000

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def http(stack: Stack, admin: Person) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {admin.api_key()}"}
    with httpx.Client(base_url=stack.url, headers=headers, timeout=240, trust_env=False) as made:
        yield made


def photograph() -> Image.Image:
    """A cup of coffee on a table, by Pikolo Espresso Bar (CC0), as scikit-image brings it."""
    spec = find_spec("skimage")
    assert spec is not None and spec.origin is not None
    with Image.open(Path(spec.origin).parent / "data" / "coffee.png") as picture:
        return picture.convert("RGB").crop((100, 40, 484, 360))


def post(http: httpx.Client, path: str, data: bytes, accept: str) -> bytes:
    """The file that a task makes of a file; the first request may have to wait for the model."""

    def answered() -> httpx.Response | None:
        answer = http.post(path, files={"file": ("input", data)}, headers={"Accept": accept})
        loading = answer.status_code == 503 and "model_loading" in answer.text
        return None if loading else answer

    answer = wait_for(f"the model of {path}", answered, 240)
    assert answer.status_code == 200, answer.text
    return answer.content


def psnr(found: Image.Image, original: Image.Image) -> float:
    """Peak signal-to-noise ratio in dB, without four pixels at the edges."""
    inside = slice(4, -4)
    difference = np.asarray(found, float) - np.asarray(original, float)
    return float(10 * np.log10(255**2 / np.mean(difference[inside, inside] ** 2)))


def test_a_photograph_is_enlarged_better_than_by_a_filter(http: httpx.Client) -> None:
    original = photograph()
    small = original.resize((192, 160), Image.Resampling.BICUBIC)
    data = io.BytesIO()
    small.save(data, "PNG")
    answer = post(http, "/inference/video_enhancement", data.getvalue(), "image/png")
    enlarged = Image.open(io.BytesIO(answer)).convert("RGB")
    assert enlarged.size == original.size
    found = psnr(enlarged, original)
    bicubic = psnr(small.resize(original.size, Image.Resampling.BICUBIC), original)
    print(f"{found:.2f} dB, bicubic {bicubic:.2f} dB")
    assert found > bicubic + 0.3


def heard(data: bytes) -> Floats:
    """Samples of a mono WAV file of 16 bits."""
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def written(samples: Floats) -> bytes:
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return data.getvalue()


def si_snr(found: Floats, clean: Floats) -> float:
    """Scale-invariant signal-to-noise ratio in dB."""
    found, clean = found - found.mean(), clean - clean.mean()
    target = clean * (found @ clean) / (clean @ clean)
    return float(10 * np.log10(np.sum(target**2) / np.sum((found - target) ** 2)))


@pytest.mark.parametrize("ratio", [0, 10])
def test_noise_is_taken_out_of_speech(http: httpx.Client, ratio: int) -> None:
    clean = heard((SOUNDS / "speech.wav").read_bytes())
    noise = heard((SOUNDS / "noise.wav").read_bytes())[: len(clean)]
    noise *= np.sqrt(np.mean(clean**2) / np.mean(noise**2)) * 10 ** (-ratio / 20)
    mixture = 0.5 * (clean + noise)
    found = heard(post(http, "/inference/audio_denoising", written(mixture), "audio/wav"))
    assert len(found) == len(clean)
    after, before = si_snr(found, clean), si_snr(mixture, clean)
    print(f"{before:.2f} dB before, {after:.2f} dB after")
    assert after > before + 2
