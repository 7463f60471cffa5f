"""Folders of ONNX files: text recognition, and the detector of faces.

An ONNX file does not say what it is for, so the folder's place has to.
"""

from atoll_inference.catalog.checkpoint import Checkpoint
from atoll_inference.catalog.folder import Folder, Problem

# What one file name of each folder has to hold, and what such a file does.
_NEEDED = {
    "ocr": (("det", "finds lines of text"), ("rec", "reads a line")),
    "face_detection": (("", "finds faces"),),
}


def inspect(folder: Folder) -> Checkpoint:
    """What the folder holds.

    Raises:
        Problem: its place does not say what it is for, or a file is missing.
    """
    files = folder.ending(".onnx")
    if folder.slot is None:
        raise Problem(
            f"{folder.path} has ONNX files, which do not say what they are for. Move it to "
            f"{' or '.join(f'{slot}/' for slot in _NEEDED)}."
        )
    for part, purpose in _NEEDED.get(folder.slot, ()):
        if not any(part in file.name.lower() for file in files):
            raise Problem(
                f"{folder.path} has no file named *{part}*.onnx, which {purpose}. Fetch the "
                "checkpoint again."
            )
    empty = [file for file in files if not file.stat().st_size]
    if empty:
        raise Problem(f"{empty[0]} is empty. Fetch the checkpoint again.")
    return Checkpoint(
        id=folder.id,
        slot=folder.slot,
        path=folder.path,
        weights=files[0] if len(files) == 1 else None,
        format="onnx",
        dtype="fp32",
    )
