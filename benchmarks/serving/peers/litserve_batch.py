"""LitServe with its dynamic batching."""

import sys
from pathlib import Path
from typing import Any

import litserve

from benchmarks.serving.inputs import KINDS

BATCH, WAIT_S = 32, 0.005


class Api(litserve.LitAPI):
    """The engine behind LitServe's steps."""

    def setup(self, device: str) -> None:
        """Load."""
        self.kind = KINDS[sys.argv[1]]
        self.model = self.kind.engine(Path(sys.argv[2]), threads=2)
        self.model.load(lambda fraction, stage: None)

    def decode_request(self, request: dict[str, str]) -> Any:
        """Body to item."""
        return self.kind.item(request)

    def batch(self, inputs: list[Any]) -> list[Any]:
        """Keep the items."""
        return inputs

    def predict(self, inputs: list[Any]) -> list[Any]:
        """All items, their units sharing forward passes."""
        return self.model.run_batch(inputs)

    def unbatch(self, output: list[Any]) -> list[Any]:
        """Keep the results."""
        return output

    def encode_response(self, output: Any) -> Any:
        """Result to JSON."""
        return self.kind.answer(output)


if __name__ == "__main__":
    server = litserve.LitServer(
        Api(max_batch_size=BATCH, batch_timeout=WAIT_S, api_path="/run"),
        accelerator="cpu",
        workers_per_device=1,
    )
    server.run(
        host="127.0.0.1", port=int(sys.argv[3]), log_level="error", generate_client_file=False
    )
