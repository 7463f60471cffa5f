"""What a fine-tune reached, for people and for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from atoll_inference.finetune.baseline import Baseline
from atoll_inference.finetune.metrics import Quality
from atoll_inference.finetune.roc_chart import roc_chart
from atoll_inference.finetune.samples import LABELS, Sample, Skipped
from atoll_inference.finetune.split import Split
from atoll_inference.finetune.trainer import Epoch

REPORT_JSON = "report.json"
REPORT_MARKDOWN = "report.md"
CHART = "roc.svg"

_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything about one fine-tune.

    Attributes:
        output: the checkpoint.
        options: how it was trained, by name.
        epochs: figures of each epoch.
        best_epoch: the one whose parameters were kept.
        test: figures of the finished checkpoint on the test set, judged by the serving engine.
        scores: its score for each file of the test set, in the order of `split.test`.
        feature_names: what the baseline looked at.
        seconds: time that the last call took.
    """

    task: str
    base: str
    output: Path
    options: dict[str, Any]
    split: Split
    skipped: tuple[Skipped, ...]
    epochs: tuple[Epoch, ...]
    best_epoch: int
    test: Quality
    scores: tuple[float, ...]
    baseline: Baseline
    feature_names: tuple[str, ...]
    seconds: float

    @property
    def better_than_baseline(self) -> bool:
        """Whether the model errs less than the simple measures do."""
        return self.test.eer < self.baseline.simple.eer

    def write(self, folder: Path) -> None:
        """Write report.json, report.md, the chart and the model card (README.md)."""
        content = json.dumps(self.as_json(), indent=2, ensure_ascii=False)
        (folder / REPORT_JSON).write_text(content + "\n", "utf-8")
        (folder / REPORT_MARKDOWN).write_text(self.as_markdown(), "utf-8")
        (folder / CHART).write_text(self._chart(), "utf-8")
        (folder / "README.md").write_text(self._card(), "utf-8")

    def as_json(self) -> dict[str, Any]:
        """The content of report.json."""
        test = zip(self.split.test, self.scores, strict=True)
        return {
            "task": self.task,
            "base": self.base,
            "options": self.options,
            "labels": list(LABELS),
            "test": {**asdict(self.test), "files": len(self.split.test)},
            "baseline": {
                "majority_accuracy": self.baseline.majority_accuracy,
                "features": list(self.feature_names),
                "logistic_regression": asdict(self.baseline.simple),
            },
            "better_than_baseline": self.better_than_baseline,
            "validation_shares_sources_with_training": self.split.shares_sources,
            "sources": {name: _sources(of) for name, of in self.split.sets.items()},
            "files": {name: _counts(of) for name, of in self.split.sets.items()},
            "best_epoch": self.best_epoch,
            "epochs": [asdict(epoch) for epoch in self.epochs],
            "scores": [
                {"path": s.path, "label": LABELS[s.label], "score": score} for s, score in test
            ],
            "skipped": [asdict(skipped) for skipped in self.skipped],
            "seconds": round(self.seconds, 1),
        }

    def as_markdown(self) -> str:
        """The content of report.md."""
        simple = self.baseline.simple
        lines = [
            f"# {self.task}: {self.output.name}",
            "",
            f"Fine-tuned from `{self.base}`. Judged on {len(self.split.test)} files of "
            f"{len({s.source for s in self.split.test})} sources that were not learnt from, by the "
            "engine that serves the checkpoint.",
            "",
            "| | accuracy | equal error rate |",
            "|---|---|---|",
            f"| **this checkpoint** | {self.test.accuracy:.1%} | {self.test.eer:.1%} |",
            f"| logistic regression on {', '.join(self.feature_names)} | {simple.accuracy:.1%} | "
            f"{simple.eer:.1%} |",
            f"| always the commoner class | {self.baseline.majority_accuracy:.1%} | – |",
            "",
            *self._cautions(),
            f"![ROC curves of the checkpoint and of the baseline]({CHART})",
            "",
            "## Confusion matrix",
            "",
            "| | judged real | judged fake |",
            "|---|---|---|",
            *(
                f"| {LABELS[i]} | {row[0]} | {row[1]} |"
                for i, row in enumerate(self.test.confusion)
            ),
            "",
            "A score of 0.5 or more is judged fake. Both kinds of error are equally frequent at "
            f"{self.test.eer_threshold:.3f}.",
            "",
            "## Data",
            "",
            "| set | real files | fake files | real sources | fake sources |",
            "|---|---|---|---|---|",
            *(self._row(name, of) for name, of in self.split.sets.items()),
            "",
            *self._skipped(),
            "## Epochs",
            "",
            "| epoch | training loss | validation loss | validation EER |",
            "|---|---|---|---|",
            *(
                f"| {e.epoch}{' (kept)' if e.epoch == self.best_epoch else ''} | "
                f"{e.training_loss:.4f} | {e.validation_loss:.4f} | {e.validation_eer:.1%} |"
                for e in self.epochs
            ),
            "",
            "Options: " + ", ".join(f"{k} {v}" for k, v in self.options.items()) + ".",
        ]
        return "\n".join(lines) + "\n"

    def _cautions(self) -> list[str]:
        lines = []
        if not self.better_than_baseline:
            lines += [
                "**The checkpoint is no better than the simple measures.** Either the classes "
                "differ in something simple, such as loudness or size, which then is what was "
                "learnt, or there is too little data.",
                "",
            ]
        if self.split.shares_sources:
            lines += [
                "A class has too few sources for three sets, so validation has sources in common "
                "with training, and the training may have ended too late. The test set has none "
                "in common.",
                "",
            ]
        return lines

    def _row(self, name: str, samples: Sequence[Sample]) -> str:
        cells = [_list(_sources(samples)[label]) for label in LABELS]
        counts = _counts(samples)
        return f"| {name} | {counts['real']} | {counts['fake']} | {cells[0]} | {cells[1]} |"

    def _skipped(self) -> list[str]:
        if not self.skipped:
            return []
        lines = [f"Left out ({len(self.skipped)}):", ""]
        lines += [f"- `{item.path}`: {item.reason}" for item in self.skipped[:_SHOWN]]
        if len(self.skipped) > _SHOWN:
            lines.append(f"- {len(self.skipped) - _SHOWN} more, see {REPORT_JSON}")
        return [*lines, ""]

    def _chart(self) -> str:
        labels = [sample.label for sample in self.split.test]
        judges = [
            ("this checkpoint", list(self.scores)),
            ("simple measures", list(self.baseline.scores)),
        ]
        return roc_chart(f"{self.output.name}, {len(labels)} files", labels, judges)

    def _card(self) -> str:
        counts = {name: sum(_counts(of).values()) for name, of in self.split.sets.items()}
        return "\n".join(
            [
                "---",
                f"base_model: {json.dumps(self.base)}",
                f"tags: [{self.task.replace('_', '-')}]",
                "---",
                f"# {self.output.name}",
                "",
                f"A {self.task.replace('_', ' ')} checkpoint with the labels real and fake, "
                f"fine-tuned from `{self.base}` by `atoll-inference finetune {self.task}`.",
                "",
                f"Trained on {counts['training']} files, chosen on {counts['validation']}, judged "
                f"on {counts['test']} of other sources: accuracy {self.test.accuracy:.1%}, equal "
                f"error rate {self.test.eer:.1%}. See [{REPORT_MARKDOWN}]({REPORT_MARKDOWN}).",
                "",
                "It has learnt what sets these fakes apart from these originals. Fakes made in "
                "another way, other recording conditions and other people may be judged wrongly; "
                "a score is a hint and no proof. The licence of the base and the rights in the "
                "training data apply.",
                "",
            ]
        )


def _sources(samples: Sequence[Sample]) -> dict[str, list[str]]:
    return {
        name: sorted({sample.source for sample in samples if sample.label == label})
        for label, name in enumerate(LABELS)
    }


def _counts(samples: Sequence[Sample]) -> dict[str, int]:
    return {name: sum(s.label == label for s in samples) for label, name in enumerate(LABELS)}


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(name.replace("|", "\\|") for name in names[:_SHOWN]) + more
