"""Cross-encoders: a query and a document read together, one score for the pair."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers

from atoll_inference.engines.base import InvalidInput, LoadFailed, Progress, Steps
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.tasks.retrieval import RerankInput, RerankResult
from atoll_inference.engines.text_encoder import TextEncoderEngine, checked, token_unit
from atoll_inference.engines.weights import load_pretrained

QUERY_SHARE = 0.75
"""Most of the model's length that a query may take; documents need the rest."""

_SIGMOID = frozenset({"Sigmoid", "Identity"})


class CrossEncoderEngine(TextEncoderEngine):
    """Relevance of documents to a query, in [0, 1].

    The score is the sigmoid of the model's one output. A checkpoint that asks for the bare output
    (activation Identity) gets the sigmoid too: the order is the same and the range is known.
    """

    def __init__(self, folder: Path, runtime: Runtime) -> None:
        super().__init__(folder, runtime)

    def load(self, progress: Progress) -> None:
        """Read tokenizer and weights; see `Engine.load`.

        Raises:
            LoadFailed: also when the checkpoint has several outputs, or an activation other than
                Sigmoid and Identity.
        """
        activation = read_activation(self.folder)
        if activation.rsplit(".", 1)[-1] not in _SIGMOID:
            raise LoadFailed(
                f"{self.folder} wants the activation {activation}; served are Sigmoid and Identity."
            )
        super().load(progress)

    def steps(self, item: RerankInput, progress: Progress) -> Steps:
        """One unit for each document. A pair that is too long loses the end of its document.

        Raises:
            InvalidInput: an empty text, no document, or a query that leaves no room for one.
        """
        if not item.documents:
            raise InvalidInput("There is no document to rank. Send at least one.", "documents")
        query = self.tokenizer.read(item.query, "query", "query")
        most = int((self.max_length - self.tokenizer.special_tokens_of_pair) * QUERY_SHARE)
        if len(query) > most:
            raise InvalidInput(
                f"The query has {len(query)} tokens; this model takes at most {most}. Shorten it.",
                "query",
            )
        room = self.max_length - self.tokenizer.special_tokens_of_pair - len(query)
        units, truncated = [], []
        for number, document in enumerate(item.documents):
            name = f"document {number} (counted from 0)"
            ids = self.tokenizer.read(document, name, "documents")
            units.append(token_unit(self.tokenizer.pair(query, ids[:room])))
            truncated.append(len(ids) > room)
        outputs = yield units
        return RerankResult(
            scores=tuple(float(checked(output)[0]) for output in outputs),
            tokens=sum(unit.size for unit in units),
            truncated=tuple(truncated),
        )

    def _load_model(self, dtype: torch.dtype) -> Any:
        model = load_pretrained(transformers.AutoModelForSequenceClassification, self.folder, dtype)
        if model.config.num_labels != 1:
            raise LoadFailed(
                f"{self.folder} has {model.config.num_labels} outputs. A reranker has one: use a "
                "cross-encoder checkpoint."
            )
        return model

    def _answer(self, model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.sigmoid(model(**batch).logits.float())

    def _sample(self) -> RerankInput:
        return RerankInput("a question", ("an answer",))


def read_activation(folder: Path) -> str:
    """The activation that a cross-encoder's files name; Sigmoid when they name none.

    sentence-transformers has kept it in three places over time; the first that is there counts.

    Raises:
        LoadFailed: a file cannot be read.
    """
    config = _json(folder / "config.json")
    nested = config.get("sentence_transformers")
    for found in (
        nested.get("activation_fn") if isinstance(nested, Mapping) else None,
        config.get("sbert_ce_default_activation_function"),
        _json(folder / "config_sentence_transformers.json").get("activation_fn"),
    ):
        if found is not None:
            return str(found)
    return "torch.nn.modules.activation.Sigmoid"


def _json(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise LoadFailed(f"{path} cannot be read: {error}. Fetch the checkpoint again.") from error
    return content if isinstance(content, dict) else {}
