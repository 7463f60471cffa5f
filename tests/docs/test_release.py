"""One number for the release, wherever it is written."""

import json
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_package_has_the_number_in_version() -> None:
    release = (ROOT / "VERSION").read_text().strip()
    packages = [ROOT / "kit", ROOT / "deployment" / "local", *(ROOT / "services").iterdir()]
    files = [file for package in packages for file in package.glob("pyproject.toml")]
    assert len(files) == 4
    for file in files:
        assert tomllib.loads(file.read_text())["project"]["version"] == release, file
    frontend = json.loads((ROOT / "services" / "frontend" / "package.json").read_text())
    assert frontend["version"] == release
