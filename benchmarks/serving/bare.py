"""The engine alone, in a process of its own: `python -m benchmarks.serving.bare KIND FOLDER MODE`.

Reads one line of JSON, `{"bodies": [...]}`, and answers with the seconds that all of them took.
MODE `batch` lets the units of all inputs share forward passes, sorted by length, which is the best
that any server could do; `transformers` and `faster-whisper` are the libraries themselves, for
speech, one recording after the other.
"""

import base64
import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.serving.inputs import KINDS


def runner(kind_name: str, folder: Path, mode: str) -> Callable[[list[str]], Any]:
    """A function that answers request bodies."""
    kind = KINDS[kind_name]
    if mode == "faster-whisper":
        from faster_whisper import WhisperModel

        from atoll_inference.engines.converted import ctranslate2_folder
        from atoll_inference.engines.runtime import Runtime

        runtime = Runtime(device="cpu", threads=2, cache_dir=folder.parent / "cache")
        path = ctranslate2_folder(folder, runtime, "int8")
        if not (path / "tokenizer.json").exists():  # it would look for one on the hub
            (path / "tokenizer.json").symlink_to(folder.resolve() / "tokenizer.json")
        model = WhisperModel(str(path), device="cpu", compute_type="int8", cpu_threads=2)

        def library(bodies: list[str]) -> Any:
            texts = []
            for body in bodies:
                data = io.BytesIO(base64.b64decode(json.loads(body)["data"]))
                segments, _ = model.transcribe(
                    data, beam_size=1, vad_filter=True, temperature=0.0, language="en"
                )
                texts.append("".join(segment.text for segment in segments))
            return texts

        return library
    engine = kind.engine(folder, 2)
    if mode == "transformers":
        from atoll_inference.engines.runtime import Runtime
        from atoll_inference.engines.whisper_reference import WhisperReferenceEngine

        engine = WhisperReferenceEngine(folder, Runtime(device="cpu", threads=2))
    engine.load(lambda fraction, stage: None)
    if mode == "transformers":
        return lambda bodies: [engine.run(kind.item(json.loads(b))) for b in bodies]
    return lambda bodies: [
        kind.answer(result)
        for result in engine.run_batch([kind.item(json.loads(b)) for b in bodies])
    ]


def main() -> None:
    """Answer lines until the input ends."""
    run = runner(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
    print("ready", flush=True)
    for line in sys.stdin:
        bodies = json.loads(line)["bodies"]
        started = time.perf_counter()
        run(bodies)
        print(json.dumps(time.perf_counter() - started), flush=True)


if __name__ == "__main__":
    main()
