"""Recordings of made-up speakers to fine-tune on, and how to do it in seconds."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tiny_sound import crushed, voice, write_wav

SPEAKERS = 10

TRAINING: dict[str, Any] = {
    "epochs": 16,
    "batch": 8,
    "seed": 3,
    "learning_rate": 3e-3,
    "patience": 16,
    "window_seconds": 0.5,
    "threads": 1,
}


def clip(speaker: int, number: int, *, fake: bool) -> NDArray[np.float32]:
    """A recording of a made-up speaker, no two alike."""
    seed = 1000 * fake + 100 * speaker + number
    rng = np.random.default_rng(seed)
    sound = voice(rng.uniform(0.3, 1.2), pitch=100 + 15 * speaker, seed=seed)
    return crushed(sound) if fake else sound


def write_data(folder: Path) -> Path:
    """Four real and four fake recordings of each speaker, and two files that are no recordings."""
    for speaker in range(SPEAKERS):
        for number in range(4):
            real = folder / "real" / f"spk{speaker}_{number}.wav"
            write_wav(real, clip(speaker, number, fake=False))
            fake = folder / "fake" / f"spk{speaker}" / f"{number}.wav"
            write_wav(fake, clip(speaker, number, fake=True))
    (folder / "real" / "notes.txt").write_text("not a recording")
    write_wav(folder / "fake" / "spk1" / "silence.wav", np.zeros(8000, np.float32))
    return folder


class Said(list[str]):
    """Takes lines and keeps them."""

    def __call__(self, line: str) -> None:
        self.append(line)
