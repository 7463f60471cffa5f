"""The starter's word error rate on telephone prompts, whose texts are published with them."""

import gzip
import re
from pathlib import Path

import numpy as np

from atoll_inference.engines.tasks.speech import SpeechInput
from atoll_inference.media.audio import Audio, decode_audio
from atoll_inference.media.limits import MediaLimits
from training import noise
from training.audio_denoising.mixtures import Mixer, mixed
from training.engines import Engines
from training.evaluation import Evaluation, Measure
from training.packages import Package
from training.speech import ALLISON, RATE
from training.speech_recognition import MODEL, SLOT
from training.word_errors import error_rate, words

HELD_OUT = (
    "telephone prompts at 8 kHz, read by one woman in American English, of the package "
    "asterisk-core-sounds-en; those of six words and more. Noise is recorded in a city. A word "
    "error rate is the number of words to insert, delete or replace, by that of words said"
)
RATIO = 10.0
_TEXTS = Package(
    "asterisk-core-sounds-en",
    "1.6.1-1",
    "973e797d28e37fa6ca3c0a9d6fa717e77cf1268ae916bf09fd3503113cdffa50",
)
_LEAST_WORDS = 6
_SEED = 77


def measure(engines: Engines) -> Evaluation:
    """Every prompt, as it is and with noise."""
    engine = engines.load(SLOT)
    mixer = Mixer((), noise.HELD_OUT, 1.0)
    rng = np.random.default_rng(_SEED)
    said: list[list[str]] = []
    heard: list[list[str]] = []
    heard_in_noise: list[list[str]] = []
    for path, text in prompts():
        audio = decode_audio(path, MediaLimits(), rate=RATE, as_mono=True)
        clean = audio.samples[:, 0]
        noisy, _ = mixed(clean, mixer.recorded("city", rng, len(clean)), RATIO)
        disturbed = Audio((0.05 * noisy)[:, None], RATE)
        said.append(words(text))
        heard.append(words(engine.run(SpeechInput(audio=audio)).text))
        heard_in_noise.append(words(engine.run(SpeechInput(audio=disturbed)).text))
    return Evaluation(
        slot=SLOT,
        model=MODEL,
        held_out=HELD_OUT,
        measures=tuple(
            Measure(
                name=name,
                items=len(said),
                model=error_rate(said, found),
                baselines={"no words": 1.0},
                higher_is_better=False,
            )
            for name, found in (
                ("word error rate", heard),
                (f"word error rate, noise {RATIO:g} dB below", heard_in_noise),
            )
        ),
    )


def prompts() -> list[tuple[Path, str]]:
    """Recordings and what is said in them."""
    listing = _TEXTS.unpacked() / "usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz"
    texts: dict[str, str] = {}
    with gzip.open(listing, "rt", encoding="utf-8") as lines:
        for line in lines:
            name, colon, text = line.partition(": ")
            # What stands in brackets is no speech, and the names of keys are read out.
            if colon and not line.startswith(";") and not re.search(r"[\[*#]", text):
                texts[name.strip()] = text.strip()
    found = []
    for path in ALLISON.files():
        name = path.as_posix().partition("/en_US_f_Allison/")[2].removesuffix(".wav")
        if len(words(texts.get(name, ""))) >= _LEAST_WORDS:
            found.append((path, texts[name]))
    return found
