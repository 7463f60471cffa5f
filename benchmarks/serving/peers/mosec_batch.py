"""mosec with its dynamic batching: decoding in one worker process, the model in another."""

import json
import os
import sys
from pathlib import Path
from typing import Any

# mosec reads the command line itself, in every worker process.
KIND, FOLDER, PORT = os.environ["PEER"].split("\n")
sys.argv[1:] = ["--address", "127.0.0.1", "--port", PORT, "--log-level", "error"]
sys.argv += ["--timeout", "300000"]  # milliseconds; its 3 s are too few for a batch of recordings

from mosec import Server, Worker  # noqa: E402

from benchmarks.serving.inputs import KINDS  # noqa: E402

BATCH, WAIT_MS = 32, 5


class Model(Worker):
    """The engine behind mosec's steps."""

    def __init__(self) -> None:
        super().__init__()
        self.kind = KINDS[KIND]
        self.model = self.kind.engine(Path(FOLDER), threads=2)
        self.model.load(lambda fraction, stage: None)

    def deserialize(self, data: bytes) -> Any:
        """Body to item."""
        return self.kind.item(json.loads(data))

    def forward(self, data: list[Any]) -> list[Any]:
        """All items, their units sharing forward passes."""
        return [self.kind.answer(result) for result in self.model.run_batch(data)]

    def serialize(self, data: Any) -> bytes:
        """Answer to JSON."""
        return json.dumps(data).encode()


if __name__ == "__main__":
    server = Server()
    server.append_worker(Model, num=1, max_batch_size=BATCH, max_wait_time=WAIT_MS)
    server.run()
