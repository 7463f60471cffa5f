"""Photographs to learn from and to measure on, from Debian and Python packages.

The two sets have no package and no photographer in common.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from training import TrainingFailed
from training.packages import Package

_PLASMA = Package(
    "plasma-workspace-wallpapers",
    "4:5.27.5-2",
    "32cd18b71c8c938a18b3b351f217c02ac590e323caa3cf322fbb875ce8892f8b",
)
_LOMIRI_16 = Package(
    "lomiri-wallpapers-16.04",
    "20.04.0-2",
    "a99ff6a3bfe451e4cc0682ecb3cc82e71740626d59e4845ae34a0a0e45421eab",
)
_LOMIRI_20 = Package(
    "lomiri-wallpapers-20.04",
    "20.04.0-2",
    "d44e89b8473aafe64a5b678f014862dc31335aaaf18665c544d985d854f1a709",
)
_LXQT = Package(
    "lxqt-themes",
    "1.2.0-1",
    "d518df36b515b09d36cb00b12645dd8ce170bb82bb0966297741905ce3edc8e1",
)
_MATE = Package(
    "mate-backgrounds",
    "1.26.0-1",
    "7bf4c2209f34b4f61ba6d24c8b58c28b361e82e4b943aae6d42c030169af9e04",
)


@dataclass(frozen=True, slots=True)
class _Folder:
    package: Package
    place: str
    files: tuple[str, ...]


_LEARNT = (
    _Folder(
        _PLASMA,
        "usr/share/wallpapers/{}/contents/images",
        (
            "BytheWater/2560x1600.jpg",
            "ColdRipple/2560x1600.jpg",
            "ColorfulCups/2560x1600.jpg",
            "EveningGlow/2560x1600.jpg",
            "FallenLeaf/2560x1600.jpg",
            "Grey/2560x1600.jpg",
            "Kite/2560x1600.jpg",
            "OneStandsOut/2560x1600.jpg",
            "summer_1am/2560x1600.jpg",
            # Drawn, for their sharp edges.
            "Flow/5120x2880.jpg",
            "FlyingKonqui/2560x1600.png",
            "SafeLanding/5120x2880.jpg",
            "Altai/5120x2880.png",
        ),
    ),
    _Folder(
        _LOMIRI_16,
        "usr/share/backgrounds",
        (
            "Bridge_by_Sander_Klootwijk.jpg",
            "Picture_0B_by_freespace.jpg",
            "Picture_1A_by_freespace.jpg",
            "Wine_by_Jakkub_Mede.jpg",
            "aitzgorri_by_Aitzol_Berasategi.jpg",
            "free_by_Peter_Nerlich.jpg",
            "friends_by_Aitzol_Berasategi.jpg",
            "greentock_by_Peter_Nerlich.jpg",
            "life_by_Aitzol_Berasategi.jpg",
            "picosdeeuropa_by_Aitzol_Berasategi.jpg",
            "seeding_by_Clements_Engelhardt.jpg",
            "sunset_by_Aitzol_Berasategi.jpg",
        ),
    ),
    _Folder(_LOMIRI_20, "usr/share/backgrounds", ("Kleiber_by_Lukas_Baubkus.jpg",)),
    _Folder(
        _LXQT,
        "usr/share/lxqt/wallpapers",
        (
            "Valendas.png",
            "after-the-rain.jpg",
            "appleflower.png",
            "butterfly.png",
            "cloud.png",
            "drop.png",
            "flowers.png",
            "fog.jpg",
            "this-is-not-windows.jpg",
        ),
    ),
)

_VALIDATION = (
    _Folder(_PLASMA, "usr/share/wallpapers/{}/contents/images", ("Path/2560x1600.jpg",)),
    _Folder(_LOMIRI_16, "usr/share/backgrounds", ("Dragonfly_by_Bolly.jpg",)),
    _Folder(_LXQT, "usr/share/lxqt/wallpapers", ("beam.png",)),
)

_HELD_OUT = _Folder(
    _MATE,
    "usr/share/backgrounds/mate/nature",
    (
        "Aqua.jpg",
        "Blinds.jpg",
        "Dune.jpg",
        "Garden.jpg",
        "GreenMeadow.jpg",
        "LadyBird.jpg",
        "RainDrops.jpg",
        "Storm.jpg",
        "TwoWings.jpg",
        "Wood.jpg",
        "YellowFlower.jpg",
    ),
)
_HELD_OUT_IN_PYTHON = (
    ("skimage", "data", ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")),
    ("sklearn", "datasets/images", ("china.jpg", "flower.jpg")),
)


def learnt() -> list[Image.Image]:
    """The photographs of the training, RGB, in a fixed order."""
    return _opened(_LEARNT)


def validation() -> list[Image.Image]:
    """Photographs by which the best state of a training is chosen."""
    return _opened(_VALIDATION)


def held_out() -> list[tuple[str, Image.Image]]:
    """Names and pictures that neither training nor validation saw."""
    found = [(path.stem, _open(path)) for path in _paths(_HELD_OUT)]
    for module, place, names in _HELD_OUT_IN_PYTHON:
        spec = importlib.util.find_spec(module)
        if spec is None or spec.origin is None:
            raise TrainingFailed(f"{module} is not installed. Run make setup.")
        folder = Path(spec.origin).parent / place
        found += [(Path(name).stem, _open(folder / name)) for name in names]
    return found


def _opened(folders: tuple[_Folder, ...]) -> list[Image.Image]:
    return [_open(path) for folder in folders for path in _paths(folder)]


def _paths(folder: _Folder) -> list[Path]:
    root = folder.package.unpacked()
    paths = []
    for file in folder.files:
        name, slash, rest = file.partition("/")
        place = folder.place.format(name) if slash else folder.place
        paths.append(root / place / (rest if slash else file))
    return paths


def _open(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")
