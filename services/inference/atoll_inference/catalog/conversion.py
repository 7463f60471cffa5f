"""Runs conversions of weights, each in a process of its own.

Most are of pickles, and a pickle can run code when it is read. The process gets none of this one's
environment, where tokens may be, and bounds on memory, time and the size of what it writes.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, get_args

Kind = Literal["pickled", "openai_whisper", "sepformer", "assembled"]

KINDS: tuple[Kind, ...] = get_args(Kind)

LIMIT_S = 3600
_PACKAGES = Path(__file__).resolve().parents[2]


class ConversionFailed(Exception):
    """Nothing was converted; the message is the converter's reason."""


def convert(kind: Kind, source: Path, target: Path) -> None:
    """Convert what lies in the folder `source` into the empty folder `target`.

    Raises:
        ConversionFailed: the source is not what it should be, or the process was ended.
    """
    command = [sys.executable, "-m", "atoll_inference.convert", kind, str(source), str(target)]
    try:
        with TemporaryDirectory() as home:
            done = subprocess.run(
                command,
                env={
                    "PATH": "/usr/bin:/bin",
                    "LANG": "C.UTF-8",
                    "HOME": home,
                    "TMPDIR": home,
                    "PYTHONPATH": str(_PACKAGES),
                    "HF_HUB_OFFLINE": "1",
                },
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=LIMIT_S,
                check=False,
            )
    except subprocess.TimeoutExpired:
        raise ConversionFailed(f"{source}: conversion took longer than {LIMIT_S} s.") from None
    if done.returncode == 0:
        return
    reason = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode != 1 or not reason:
        reason = f"the process ended with status {done.returncode}\n{reason[-1500:]}"
    raise ConversionFailed(f"{source} could not be converted ({kind}): {reason}")


def kind_of(folder: Path) -> Kind | None:
    """The conversion that a folder with pickled weights needs, or None when nothing tells."""
    names = {file.name for file in folder.iterdir() if file.is_file()}
    if "hyperparams.yaml" in names and any(name.endswith(".ckpt") for name in names):
        return "sepformer"
    if any(name.startswith("pytorch_model") and name.endswith(".bin") for name in names):
        return "pickled"
    if sum(name.endswith(".pt") for name in names) == 1 and "config.json" not in names:
        return "openai_whisper"
    return None


def convert_folder(folder: Path) -> Kind:
    """Convert a folder's pickled weights in place; returns the kind of conversion.

    The pickled files stay; the new ones appear beside them once they are complete.

    Raises:
        ConversionFailed: there are no pickled weights of a known layout, or they are not right.
        OSError: the folder cannot be read or written.
    """
    kind = kind_of(folder)
    if kind is None:
        raise ConversionFailed(
            f"{folder} has no pickled weights of a layout that is known here: "
            "pytorch_model.bin, hyperparams.yaml with .ckpt files, or a single OpenAI whisper .pt."
        )
    with TemporaryDirectory(prefix=".converting-", dir=folder) as stage:
        target = Path(stage) / "converted"
        target.mkdir()
        convert(kind, folder.resolve(), target)
        # Weights last: until they are there, the folder is listed as one to convert.
        for file in sorted(target.iterdir(), key=lambda f: (f.suffix == ".safetensors", f.name)):
            file.replace(folder / file.name)
    return kind
