"""Changes `.env` and leaves alone what it does not know.

Compose and the host processes read the result alike: a value with anything but plain characters
stands in single quotes, inside which neither replaces anything.
"""

import io
import re
from collections.abc import Mapping

from dotenv import dotenv_values

from atoll_chat.deployment_config import ConfigProblem

_ASSIGNMENT = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$")
_COMMENTED = re.compile(r"^#\s?([A-Z][A-Z0-9_]*)=")
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=\[\]-]*")
_SECRET = re.compile(r"SECRET|TOKEN|PASSWORD|KEY$")
HEADING = "# Set by apply-config.sh"


def read(text: str) -> dict[str, str]:
    """The variables that `text` sets."""
    values = dotenv_values(stream=io.StringIO(text), interpolate=False)
    return {name: value or "" for name, value in values.items()}


def changed(text: str, variables: Mapping[str, str | None]) -> str:
    """`text` with each variable set to its value, or taken away where that is None.

    A variable that has a commented line, as in `.env.example`, is set below it, any other at the
    end. Comments and everything else stay.

    Raises:
        ConfigProblem: the file or a value has a form that `.env` files cannot hold.
    """
    before = read(text)
    differ = {name: value for name, value in variables.items() if before.get(name) != value}
    lines = text.splitlines()
    kept: list[str] = []
    for line in lines:
        found = _ASSIGNMENT.match(line)
        if not found or found[1] not in differ:
            kept.append(line)
        elif _opens(found[2].strip()):
            raise ConfigProblem([f".env: {found[1]} spans several lines; put it on one"])
        elif differ[found[1]] is not None and not any(_sets(line, found[1]) for line in kept):
            kept.append(f"{found[1]}={_quoted(found[1], differ[found[1]])}")
    missing = [
        (name, value)
        for name, value in differ.items()
        if value is not None and not any(_sets(line, name) for line in kept)
    ]
    appended = []
    for name, value in missing:
        line = f"{name}={_quoted(name, value)}"
        at = [i for i, old in enumerate(kept) if (m := _COMMENTED.match(old)) and m[1] == name]
        if at:
            kept.insert(at[-1] + 1, line)
        else:
            appended.append(line)
    if appended:
        kept += [*([] if HEADING in kept else ["", HEADING] if kept else [HEADING]), *appended]
    result = "".join(f"{line}\n" for line in kept)
    expected = {**before, **differ}
    assert read(result) == {name: value for name, value in expected.items() if value is not None}
    return result


def masked(line: str) -> str:
    """A line of `.env` that may be shown: values of secrets are left out."""
    found = _ASSIGNMENT.match(line)
    if found and _SECRET.search(found[1]) and found[2].strip():
        return f"{found[1]}=(hidden)"
    return line


def _sets(line: str, name: str) -> bool:
    found = _ASSIGNMENT.match(line)
    return bool(found and found[1] == name)


def _opens(value: str) -> bool:
    return value[:1] in ("'", '"') and value.count(value[0]) == 1


def _quoted(name: str, value: str | None) -> str:
    assert value is not None
    if _PLAIN.fullmatch(value):
        return value
    if not set("'\\") & set(value):
        return f"'{value}'"
    if not set('"\\$`') & set(value):
        return f'"{value}"'
    raise ConfigProblem(
        [f"{name}: a value with a quote and one of $ ` or \\ cannot be written to .env"]
    )
