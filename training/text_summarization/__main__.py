"""Trains the summariser: `python -m training.text_summarization`."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training import TrainingFailed, loop, minilm, options
from training.text_summarization import MODEL, network
from training.text_summarization.dataset import Example, Mixture

STEPS = 3700
BATCH = 16
POOL = 24
"""Batches whose examples are sorted by length among themselves: less padding, hardly less
chance."""

BANDS = 6
"""Of summaries of about one length in a pool; within a band texts are sorted."""

CHANGE_RATE = 1e-3
CROSS_RATE = 1.5e-3
DECODER_RATE = 1e-3
SMOOTHING = 0.05

MOST_TOKENS = network.POSITIONS
MOST_WRITTEN = 128
OTHER_WORDS = 4000
"""Tokens beside those of a batch that an answer is told from: all would take a third more time."""


def main() -> int:
    """Train and write the weights."""
    chosen = options.parse("text_summarization", MODEL)
    try:
        loop.begin(chosen)
        mixture = Mixture()
        print(f"{len(mixture)} texts to train on, and made-up notes", flush=True)
        model = network.small_bart()
        read = _Reader()
        validation = mixture.validation()

        def loss(step: int, random: np.random.Generator) -> Tensor:
            batch = read(_batch(mixture, step, chosen.seed))
            others = random.integers(0, model.config.vocab_size, OTHER_WORDS)
            # Nearly twice as fast as whole precision on processors that have the format.
            with torch.autocast(loop.device().type, dtype=torch.bfloat16):
                return _loss(model, batch, torch.from_numpy(others), SMOOTHING)

        def judge() -> float:
            words = torch.arange(model.config.vocab_size)
            parts = [validation[i : i + BATCH] for i in range(0, len(validation), BATCH)]
            losses = [len(part) * float(_loss(model, read(part), words, 0.0)) for part in parts]
            return -sum(losses) / len(validation)

        task = loop.Task(
            model=model,
            optimizer=torch.optim.AdamW(
                network.groups(model, change=CHANGE_RATE, cross=CROSS_RATE, decoder=DECODER_RATE),
                weight_decay=0.01,
                betas=(0.9, 0.98),
                fused=True,
            ),
            steps=STEPS,
            loss=loss,
            judge=judge,
            judge_every=STEPS // 11,
        )
        network.write(model, chosen.out, loop.train(task, chosen))
    except TrainingFailed as error:
        print(error, file=sys.stderr)
        return 1
    print(f"written to {chosen.out}; now: make evaluate ARGS='--write text_summarization'")
    return 0


class _Reader:
    """Makes the model's input of examples: texts, their mask, and summaries between two marks."""

    def __init__(self) -> None:
        self._tokenizer = minilm.tokenizer()

    def __call__(self, examples: Sequence[Example]) -> tuple[Tensor, Tensor, Tensor]:
        texts = self._tokens([example.text for example in examples], MOST_TOKENS)
        summaries = self._tokens([example.summary for example in examples], MOST_WRITTEN)
        return texts["input_ids"], texts["attention_mask"], summaries["input_ids"]

    def _tokens(self, texts: list[str], longest: int) -> dict[str, Tensor]:
        found = self._tokenizer(
            texts, truncation=True, max_length=longest, padding=True, return_tensors="pt"
        )
        return {name: tensor.to(loop.device()) for name, tensor in found.items()}


def _batch(mixture: Mixture, step: int, seed: int) -> list[Example]:
    """Of a step: summaries of about one length, and texts of about another."""
    number, place = divmod(step, POOL)
    random = np.random.default_rng([seed, 104729, number])
    pool = sorted(mixture.draw(random, POOL * BATCH), key=lambda example: len(example.summary))
    width = len(pool) // BANDS
    for band in range(0, len(pool), width):
        pool[band : band + width] = sorted(pool[band : band + width], key=_text_length)
    start = int(random.permutation(POOL)[place]) * BATCH
    return pool[start : start + BATCH]


def _text_length(example: Example) -> int:
    return len(example.text)


def _loss(
    model: Any, batch: tuple[Tensor, Tensor, Tensor], others: Tensor, smoothing: float
) -> Tensor:
    """Cross-entropy of each next token among those of the batch and `others`."""
    texts, mask, summaries = batch
    hidden = model.model(
        input_ids=texts, attention_mask=mask, decoder_input_ids=summaries[:, :-1]
    ).last_hidden_state
    wanted = summaries[:, 1:]
    kept = wanted != model.config.pad_token_id
    words = torch.unique(torch.cat([texts.flatten(), wanted[kept], others.to(texts.device)]))
    logits = hidden[kept] @ model.model.shared.weight[words].T
    return functional.cross_entropy(
        logits.float(), torch.searchsorted(words, wanted[kept]), label_smoothing=smoothing
    )


if __name__ == "__main__":
    raise SystemExit(main())
