"""The two secrets of a stack, made at its first start and kept in `DATA_DIR/secrets.env`."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from atoll_local.problem import BadSetting

NAMES = ("SECRET_KEY", "INTERNAL_TOKEN")


def secrets_file(data_dir: Path) -> Path:
    """Where generated secrets are kept, readable by the owner alone."""
    return data_dir / "secrets.env"


def read_secrets(data_dir: Path, values: Mapping[str, str]) -> dict[str, str]:
    """Both secrets: from the settings, else from the file, else from the files of containers that
    ran on the same data, else new ones, which are stored.

    A secret that changes ends every session and invalidates every API key; so a new one is only
    made when there is none.

    Raises:
        BadSetting: the file exists and cannot be read, or lacks a value it should hold.
        OSError: the file cannot be written.
    """
    given = {name: values[name] for name in NAMES if values.get(name)}
    if len(given) == len(NAMES):
        return given
    path = secrets_file(data_dir)
    try:
        kept = _read(path)
    except FileNotFoundError:
        kept = _of_containers(data_dir)
    missing = [name for name in NAMES if name not in given and name not in kept]
    if missing:
        kept |= {name: secrets.token_hex(32) for name in missing}
        _write(path, kept)
    return {name: given.get(name) or kept[name] for name in NAMES}


def _read(path: Path) -> dict[str, str]:
    try:
        with path.open(encoding="utf-8") as lines:
            parsed = dotenv_values(stream=lines, interpolate=False)
    except PermissionError:
        raise BadSetting(
            f"{path} belongs to another account. Start Atoll as the account that made it."
        ) from None
    found = {name: value for name in NAMES if (value := parsed.get(name))}
    if not found:
        raise BadSetting(
            f"{path} holds no secret. Restore it from a backup; if there is none, delete it: new "
            "secrets will be made, everybody has to sign in again and API keys stop working."
        )
    return found


def _of_containers(data_dir: Path) -> dict[str, str]:
    """What containers kept on the same data, so that leaving them signs nobody out."""
    found = {}
    for name in NAMES:
        path = data_dir / "secrets" / name.lower()
        try:
            found[name] = path.read_text(encoding="utf-8").strip()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError:
            raise BadSetting(
                f"{path} belongs to the account of the containers. Give the data to this one: "
                f"chown -R {os.getuid()}:{os.getgid()} {data_dir}"
            ) from None
    return {name: value for name, value in found.items() if value}


def _write(path: Path, kept: Mapping[str, str]) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(
            "# Made by Atoll at its first start. Keep it secret, and keep it with the data.\n"
        )
        file.writelines(f"{name}={value}\n" for name, value in kept.items())
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
