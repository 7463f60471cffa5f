"""Folders with a CTranslate2 `model.bin`: whisper for a processor."""

from atoll_inference.catalog.checkpoint import Checkpoint
from atoll_inference.catalog.ctranslate2_file import Ctranslate2Header
from atoll_inference.catalog.folder import Folder, Problem
from atoll_inference.catalog.headers import Headers

WEIGHTS_NAME = "model.bin"

_SLOTS = {"WhisperSpec": "speech_recognition"}
_WHISPER_RATE = 16_000


def inspect(folder: Folder, headers: Headers[Ctranslate2Header]) -> Checkpoint:
    """What the folder holds.

    Raises:
        Problem: a file is damaged or missing.
    """
    header = headers.read(folder.path / WEIGHTS_NAME)
    config = folder.json("config.json")
    by_content = _SLOTS.get(header.specification, "unknown")
    slot = folder.slot or by_content
    if slot == "unknown":
        raise Problem(
            f"{folder.path} is a CTranslate2 model of a kind that is not known here "
            f"({header.specification})."
        )
    if by_content != slot:
        raise Problem(f"{folder.path} is a {header.specification} model, which no {slot} model is.")
    if not any(file.name.startswith("vocabulary.") for file in folder.files):
        raise Problem(f"{folder.path} has no vocabulary file. Fetch the checkpoint again.")
    rate = folder.json_or_empty("preprocessor_config.json").get("sampling_rate", _WHISPER_RATE)
    return Checkpoint(
        id=folder.id,
        slot=slot,
        path=folder.path,
        weights=folder.path / WEIGHTS_NAME,
        format="ctranslate2",
        architecture=str(config.get("model_type", header.specification)),
        dtype=header.dtype,
        sample_rate=rate if isinstance(rate, int) else _WHISPER_RATE,
    )
