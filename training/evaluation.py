"""What was measured of a shipped model, as kept in `evaluation.json` beside its weights."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

EVALUATION_NAME = "evaluation.json"
DIGITS = 4


class Measure(BaseModel):
    """One figure of the model and of what it has to beat.

    Attributes:
        name: what is measured, on what.
        items: how many held-out items it is taken over.
        baselines: the same figure of trivial answers, by what they are.
        decides: whether the model is shipped only when it is better than every baseline here.
        unit: such as `dB`; empty for a share or a score.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    items: int = Field(ge=1)
    model: float
    baselines: dict[str, float] = Field(min_length=1)
    higher_is_better: bool = True
    decides: bool = True
    unit: str = ""

    @property
    def is_better(self) -> bool:
        """Whether the model is better than every baseline."""
        best = max if self.higher_is_better else min
        baseline = best(self.baselines.values())
        return self.model > baseline if self.higher_is_better else self.model < baseline


class Evaluation(BaseModel):
    """Every figure of one model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slot: str
    model: str
    held_out: str = Field(description="What the held-out split is.")
    measures: tuple[Measure, ...] = Field(min_length=1)

    def rounded(self) -> "Evaluation":
        """The same with figures as they are printed and kept."""
        measures = (
            measure.model_copy(
                update={
                    "model": round(measure.model, DIGITS),
                    "baselines": {k: round(v, DIGITS) for k, v in measure.baselines.items()},
                }
            )
            for measure in self.measures
        )
        return self.model_copy(update={"measures": tuple(measures)})


def read(folder: Path) -> Evaluation:
    """The figures kept in the folder of a model.

    Raises:
        OSError, ValueError: there are none that can be read.
    """
    return Evaluation.model_validate_json((folder / EVALUATION_NAME).read_bytes())


def write(folder: Path, evaluation: Evaluation) -> None:
    """Keep the figures."""
    text = evaluation.model_dump_json(indent=2) + "\n"
    (folder / EVALUATION_NAME).write_text(text, "utf-8")
