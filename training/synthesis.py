"""Speech synthesisers of Debian, unpacked in the cache and run from there."""

import os
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path

from training import TrainingFailed
from training.downloads import cache
from training.packages import Package

_PACKAGES = (
    Package(
        "espeak-ng",
        "1.51+dfsg-10+deb12u2",
        "a11396a690f85f55e6e6b2965505237ddf3dc95c51936aa61de936f1ccf8f4d0",
    ),
    Package(
        "libespeak-ng1",
        "1.51+dfsg-10+deb12u2",
        "2b127a95b50d92cbd7a615968d2ac1566e1cbc87e27bcda0c2894afb2407c6d2",
    ),
    Package(
        "espeak-ng-data",
        "1.51+dfsg-10+deb12u2",
        "573f5661c6a5adcf949018baad158c4c773bf5579390ee5235a890f1cd694106",
    ),
    Package(
        "libpcaudio0",
        "1.2-2",
        "5309759e4d129c7d9a601240cc6e62820ecfa86a1a98e207992ffa6a572dbcd2",
    ),
    Package(
        "libsonic0",
        "0.2.0-12",
        "9d60de6918ace0b10e3e4e95421befd08aaf03b5b2a3d71ceb799e0cf259916f",
    ),
    Package(
        "flite",
        "2.2-5",
        "f4ce03470bf9974c2cb9cacd981e6be29339ef4c97cf994dd6fa3f90e6544db9",
    ),
    Package(
        "libflite1",
        "2.2-5",
        "bfa8c591f1b47730b30b372ec38e02918a1c9795eada67684e1746390ad2f061",
    ),
    Package(
        "festival",
        "1:2.5.0-9",
        "d635d3aebabb5e4bf4d2f1f1bb65a0de4ca1b4ffd8e52bd473b17d3e235e88a7",
    ),
    Package(
        "libestools2.5",
        "1:2.5.0-13",
        "c5d7a7ea3f17c5779b7f47b40ba622d5f6a22242b05a20f746e05f0b07a883fb",
    ),
    Package(
        "festlex-cmu",
        "2.4-2",
        "9c4ca30881e987998abd51bed538e08d960aa08e8f003461c8c246da97235bbb",
    ),
    Package(
        "festlex-poslex",
        "2.4-1",
        "bb0b51d8f99ee829ce43f4aa0983d5b63d50225dcbdd24a9b14d18e24fddc684",
    ),
    Package(
        "festlex-ifd",
        "2.0+debian0-6",
        "8f98f36c50fab70ee073d1e07d8e7444f003712d5d5222f6d83516e825f36d7a",
    ),
    Package(
        "festvox-italp16k",
        "2.0+debian0-6",
        "4acbcabf7e81cf284e1f7db9135d7761e44c6bb3f9dda85727291fe95942f525",
    ),
    Package(
        "festvox-itapc16k",
        "2.0+debian0-6",
        "832c8c4cede93ef292132f8a7b5d6cddaad0046e348517d8445b4a4a906f09e6",
    ),
    Package(
        "festival-ca",
        "3.0.6-2",
        "2d0ab95a6de78a77a26ee1bd6ccf3feeffa54e3222013325c2cd1ebb9a4cb691",
    ),
    Package(
        "festvox-ca-ona-hts",
        "1.3-3",
        "bae67d675e3d638c3c9e28a81c3556d0b79d964514b40daadce6c5d81cbb9877",
    ),
)
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_FESTIVAL = "usr/share/festival"
_LIMIT_S = 60


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice of an engine.

    Attributes:
        engine: `espeak-ng`, `flite` or `festival`.
        name: as the engine calls it.
    """

    engine: str
    name: str

    def say(self, text: str, target: Path) -> bool:
        """Write a WAV file; whether there is speech in it.

        Raises:
            TrainingFailed: the engine is not there or cannot be run.
        """
        root = _root()
        program = str(root / "usr/bin" / self.engine)
        environment = {
            **os.environ,
            "LD_LIBRARY_PATH": str(root / _LIBRARIES),
            "ESPEAK_DATA_PATH": str(root / _LIBRARIES),
        }
        if self.engine == "espeak-ng":
            command = [program, "-v", self.name, "-w", str(target), "--", text]
        elif self.engine == "flite":
            command = [program, "-voice", self.name, "-t", _plain(text), "-o", str(target)]
        else:
            command = [program, "-q", "-b", _script(self.name, text, target)]
        return _run(command, environment, target)


def _run(command: Sequence[str], environment: Mapping[str, str], target: Path) -> bool:
    try:
        subprocess.run(command, env=environment, capture_output=True, timeout=_LIMIT_S, check=False)
    except OSError as error:
        raise TrainingFailed(
            f"{command[0]} cannot be run ({error.strerror}); the recipe needs Debian on x86-64."
        ) from error
    except subprocess.TimeoutExpired:
        return False
    return target.is_file() and target.stat().st_size > 8000


def _script(voice: str, text: str, target: Path) -> str:
    """Festival looks for its files where it was installed, so it is told at the beginning."""
    base = _root() / _FESTIVAL
    words = re.sub(r'["\\]', " ", _plain(text))
    script = target.with_suffix(".scm")
    script.write_text(
        f'(set! libdir "{base}/") (set! datadir "{base}/")\n'
        f'(set! system-voice-path (cons "{base}/voices/" nil))\n'
        f'(load "{base}/init.scm")\n'
        f"(voice_{voice})\n"
        f'(utt.save.wave (utt.synth (Utterance Text "{words}")) "{target}" \'riff)\n',
        "ascii",
    )
    return str(script)


def _plain(text: str) -> str:
    """Without accents, which these engines were not made for."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c) and ord(c) < 128)


@once
def _root() -> Path:
    """One folder with the files of all packages."""
    folder = cache() / "synthesisers"
    if not folder.is_dir():
        draft = folder.with_name(".synthesisers.new")
        shutil.rmtree(draft, ignore_errors=True)
        for package in _PACKAGES:
            shutil.copytree(package.unpacked(), draft, dirs_exist_ok=True, symlinks=True)
        draft.rename(folder)
    return folder
