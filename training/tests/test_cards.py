"""What the cards of shipped models say is what was measured, and worth shipping."""

from pathlib import Path

import pytest

from atoll_inference.catalog.plan import CHECKSUMS_NAME, carried_files
from atoll_inference.catalog.slots import read_catalog
from training import ROOT, STARTERS, card, evaluation, ship
from training.evaluate import differences, measured, shipped, table
from training.evaluation import Evaluation, Measure

CATALOG = read_catalog(ROOT / "models" / "catalog.toml")
SHIPPED = shipped(CATALOG)
MEASURED = measured(CATALOG)
MOST_BYTES = 25_000_000


def folder_of(slot: str) -> Path:
    starter = CATALOG.slots[slot].starter
    assert starter is not None
    return STARTERS / slot / starter.name


@pytest.mark.parametrize("slot", MEASURED)
def test_a_card_holds_the_figures_that_were_measured(slot: str) -> None:
    folder = folder_of(slot)
    figures = evaluation.read(folder)
    assert (figures.slot, figures.model) == (slot, folder.name)
    assert (folder / card.CARD_NAME).read_text("utf-8") == card.of_folder(slot, folder)


@pytest.mark.parametrize("slot", MEASURED)
def test_a_shipped_model_is_above_its_baselines(slot: str) -> None:
    figures = evaluation.read(folder_of(slot))
    assert any(measure.decides for measure in figures.measures)
    for measure in figures.measures:
        assert measure.is_better or not measure.decides, measure.name


@pytest.mark.parametrize("slot", SHIPPED)
def test_a_card_tells_what_a_user_has_to_know(slot: str) -> None:
    text = (folder_of(slot) / card.CARD_NAME).read_text("utf-8")
    for heading in ("## Data", "## Training", "## Quality", "## Limits", "## Licence"):
        assert heading in text


@pytest.mark.parametrize("slot", SHIPPED)
def test_the_files_are_those_in_the_list_of_hashes(slot: str) -> None:
    folder = folder_of(slot)
    listed = {file.name for file in carried_files(folder)}
    there = {file.name for file in folder.iterdir() if not file.name.startswith(".")}
    assert listed == there - {CHECKSUMS_NAME}
    before = (folder / CHECKSUMS_NAME).read_text()
    ship.write_checksums(folder)
    assert (folder / CHECKSUMS_NAME).read_text() == before


def test_all_weights_together_stay_small() -> None:
    assert sum(file.stat().st_size for file in STARTERS.rglob("*.safetensors")) <= MOST_BYTES


def measure(model: float, baseline: float, **more: object) -> Measure:
    content = {"name": "accuracy", "items": 9, "model": model, "baselines": {"trivial": baseline}}
    return Measure.model_validate({**content, **more})


def test_better_is_higher_or_lower_as_the_measure_says() -> None:
    assert measure(0.6, 0.5).is_better
    assert not measure(0.5, 0.5).is_better
    assert measure(0.1, 0.5, higher_is_better=False).is_better


def test_other_figures_are_told() -> None:
    old = Evaluation(slot="x", model="y", held_out="z", measures=(measure(0.6, 0.5),))
    new = Evaluation(slot="x", model="y", held_out="z", measures=(measure(0.58, 0.5),))
    assert differences(old, old) == []
    assert differences(old, new) == ["x: accuracy, model: recorded 0.6000, found 0.5800"]
    assert "accuracy  9      0.600  trivial 0.500" in table([old])[1]
