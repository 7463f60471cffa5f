"""Model cards: `training/<slot>/card.md` with the figures and the facts of the training put in.

The card of a shipped model is README.md beside its weights. It is written by the evaluation and by
nothing else, so that it says what was measured.
"""

from pathlib import Path
from string import Template

from training import ROOT, evaluation, ship
from training.evaluation import Evaluation, Measure
from training.loop import Record

CARD_NAME = "README.md"


def render(slot: str, record: Record | None, figures: Evaluation, size: int) -> str:
    """The card of a model whose weights take `size` bytes.

    The template may use $figures, and of a model that was trained here $command, $seed, $steps,
    $minutes, $processor_minutes, $device, $threads, $torch and $size.
    """
    template = Template((ROOT / "training" / slot / "card.md").read_text("utf-8"))
    if record is None:
        return template.substitute(figures=table(figures))
    return template.substitute(
        figures=table(figures),
        command=record.command,
        seed=record.seed,
        steps=record.steps,
        minutes=f"{record.minutes:.0f}",
        processor_minutes=f"{record.processor_minutes:.0f}",
        device=record.device,
        threads=record.threads,
        torch=record.torch,
        size=f"{size / 1e6:.1f} MB",
    )


def write(slot: str, folder: Path) -> None:
    """Write the card from what lies in the folder; of carried weights the hashes too."""
    text = of_folder(slot, folder)
    (folder / CARD_NAME).write_text(text, "utf-8")
    if ship.weights_size(folder):
        ship.write_checksums(folder)


def of_folder(slot: str, folder: Path) -> str:
    """The card that belongs to what lies in the folder.

    Raises:
        OSError, ValueError, TypeError: its figures or its record cannot be read.
    """
    size = ship.weights_size(folder)
    record = ship.read_record(folder) if size else None
    return render(slot, record, evaluation.read(folder), size)


def table(figures: Evaluation) -> str:
    """The figures as a table in Markdown."""
    lines = [
        f"Held out: {figures.held_out}.",
        "",
        "| measure | items | this model | baselines |",
        "|---|---|---|---|",
    ]
    for measure in figures.measures:
        baselines = ", ".join(f"{k}: {_shown(v, measure)}" for k, v in measure.baselines.items())
        lines.append(
            f"| {measure.name} | {measure.items} | {_shown(measure.model, measure)} | {baselines} |"
        )
    return "\n".join(lines)


def _shown(value: float, measure: Measure) -> str:
    return f"{value:.3f}" + (f" {measure.unit}" if measure.unit else "")
