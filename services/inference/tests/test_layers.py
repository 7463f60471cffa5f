"""The layers of the package import in one direction only."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "atoll_inference"
RUNTIMES = {
    "xllamacpp",
    "torch",
    "torchaudio",
    "transformers",
    "sentence_transformers",
    "onnxruntime",
    "ctranslate2",
    "faster_whisper",
    "speechbrain",
    "rapidocr",
    "cv2",
}
WEB = {"fastapi", "starlette", "uvicorn", "httpx"}
LIGHT = {"__init__", "base", "chat", "cpus", "factory", "runtime"}
FAMILIES = {
    f"atoll_inference.engines.{path.stem}"
    for path in (PACKAGE / "engines").glob("*.py")
    if path.stem not in LIGHT
}
"""Modules of engines that bring a runtime in; the factory alone imports them, when needed."""

FORBIDDEN = {
    "api": {*RUNTIMES, *FAMILIES, "atoll_inference.engines.factory"},
    "serving": {*RUNTIMES, *WEB, *FAMILIES, "atoll_inference.api"},
    "engines": {*WEB, "atoll_kit", "atoll_inference.api", "atoll_inference.serving"},
    "catalog": {
        *RUNTIMES,
        *WEB,
        "atoll_inference.api",
        "atoll_inference.serving",
        "atoll_inference.engines",
    },
    "media": {*RUNTIMES, *WEB, "atoll_inference.api", "atoll_inference.serving"},
}


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def within(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


@pytest.mark.parametrize("layer", sorted(FORBIDDEN))
def test_a_layer_imports_nothing_above_it(layer: str) -> None:
    files = sorted((PACKAGE / layer).glob("*.py"))
    assert files
    for path in files:
        for name in imports(path):
            bad = [module for module in FORBIDDEN[layer] if within(name, module)]
            assert not bad, f"{path.relative_to(PACKAGE)} imports {name}"


def test_only_engines_import_a_model_runtime() -> None:
    # Training and converting are commands of their own, in processes of their own.
    for path in PACKAGE.rglob("*.py"):
        if path.parent.name not in {"engines", "finetune", "convert"}:
            used = {name for name in imports(path) if name.split(".")[0] in RUNTIMES}
            assert not used, f"{path.relative_to(PACKAGE)} imports {used}"


def test_settings_alone_read_the_environment() -> None:
    for path in PACKAGE.rglob("*.py"):
        source = path.read_text("utf-8")
        # A fetch hands the environment to pip, and libraries can be told some things in no other
        # way; none of it reads a setting of this service.
        allowed = {
            PACKAGE / "catalog" / "wheels.py": '{**os.environ, "TMPDIR"',
            PACKAGE / "engines" / "__init__.py": 'os.environ.setdefault("GOMP_SPINCOUNT"',
            PACKAGE / "offline.py": 'os.environ["HF_HUB_',
        }
        if path in allowed:
            assert source.count("os.environ") == source.count(allowed[path]) > 0, path
        else:
            assert "os.environ" not in source, path
            assert "getenv" not in source, path
