"""What a deployment configuration may hold. A section or value that is left out changes nothing."""

import difflib
import json
import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic import model_validator as validator

from atoll_chat.deployment_config import ConfigProblem
from atoll_chat.settings import Registration

Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=4096)]
Url = Annotated[
    str,
    StringConstraints(
        pattern=r"^https?://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?(/[^\s?#]*)?$",
        max_length=2048,
    ),
]
Port = Annotated[int, Field(ge=1, le=65535, strict=True)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=64)]
Address = Annotated[str, StringConstraints(pattern=r"^([0-9.]+|\[[0-9A-Fa-f:.]+\])$")]


class Section(BaseModel):
    """A part of the document. Unknown keys are mistakes; null takes a setting away."""

    model_config = ConfigDict(extra="forbid")


class Deployment(Section):
    """How and where Atoll runs."""

    type: Literal["docker", "local"] = Field(
        default="docker", description="docker: as containers; local: as processes of this host."
    )
    gpu: bool = Field(default=False, description="Containers get this machine's GPUs.")
    host_network: bool = Field(
        default=False, description="Containers use the host's network instead of their own."
    )
    monitoring: bool = Field(default=False, description="Start the monitoring override as well.")
    data_dir: Line | None = Field(default=None, description="Folder of all data (DATA_DIR).")
    models_dir: Line | None = Field(default=None, description="Folder of the checkpoints.")
    model_path: Line | None = Field(default=None, description="One more checkpoint elsewhere.")
    user_id: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Account number of the containers (ATOLL_UID)."
    )
    group_id: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Group number of the containers (ATOLL_GID)."
    )


class Llm(Section):
    """An OpenAI-compatible server beside the models hosted here."""

    api_url: Url | None = Field(
        default=None, description="Its base address, or that of its chat completions."
    )
    model: Line | None = Field(default=None, description="The model to ask for.")
    api_key: Line | None = Field(default=None, description="Its key, if it asks for one.")


class Frontend(Section):
    """Kept for configurations of other systems; the pages need none of it."""

    api_url: Url | None = Field(
        default=None, description="Not needed: the pages call the address they came from."
    )


class Tls(Section):
    """HTTPS by the gateway itself."""

    certificate: Line = Field(description="Path of the certificate chain (PEM).")
    key: Line = Field(description="Path of its private key (PEM).")
    https_port: Port = Field(default=443, description="Port of HTTPS.")


class Nginx(Section):
    """The door of the installation."""

    enabled: bool = Field(
        default=True,
        description="Whether Atoll's own nginx is the public door. False: it listens on this "
        "machine alone, for an nginx of yours that uses nginx/site.conf.",
    )
    http_port: Port | None = Field(default=None, description="Port of the gateway (HTTP_PORT).")
    bind: Address | None = Field(default=None, description="Its address (HTTP_BIND).")
    server_name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$")] | None = Field(
        default=None, description="Host name in nginx/site.conf."
    )
    trusted_proxies: list[Line] | None = Field(
        default=None, description="Proxies in front whose X-Forwarded headers count."
    )
    tls: Tls | None = Field(default=None, description="HTTPS by the gateway itself.")


class Accounts(Section):
    """Who may use it."""

    registration: Registration | None = Field(default=None, description="Who may register.")
    admin_username: Annotated[str, StringConstraints(pattern=r"^[\w.@-]{1,64}$")] | None = Field(
        default=None, description="The administrator made at the first start."
    )
    admin_password: Line | None = Field(
        default=None, description="Their first password; generated when it is left out."
    )


class Inference(Section):
    """The models hosted here."""

    device: Line | None = Field(default=None, description="Where models run (DEVICE).")
    dtype: Line | None = Field(default=None, description="Number format of models (DTYPE).")
    preload: Line | None = Field(default=None, description="What is loaded at start (PRELOAD).")
    memory_budget: Line | None = Field(default=None, description="Memory of all models together.")


class DeploymentConfig(Section):
    """The whole document."""

    schema_: str | None = Field(default=None, alias="$schema", description="For editors.")
    deployment: Deployment = Field(default_factory=Deployment)
    llm: Llm = Field(default_factory=Llm)
    frontend: Frontend = Field(default_factory=Frontend)
    nginx: Nginx = Field(default_factory=Nginx)
    accounts: Accounts = Field(default_factory=Accounts)
    inference: Inference = Field(default_factory=Inference)
    environment: dict[Name, str | int | float | bool | None] = Field(
        default_factory=dict, description="Any other setting of .env, by its name."
    )

    @validator(mode="after")
    def _complete(self) -> "DeploymentConfig":
        if self.llm.api_url and not self.llm.model:
            raise ValueError("llm.model: has to be given with llm.api_url")
        if self.nginx.tls and not self.nginx.enabled:
            raise ValueError(
                "nginx.tls: the gateway is not the public door (nginx.enabled is false); put the "
                "certificate into your own nginx"
            )
        return self


def parse(text: str) -> DeploymentConfig:
    """Read a document.

    Raises:
        ConfigProblem: it is no JSON, or not valid; every mistake is named with its path.
    """
    try:
        document = json.loads(text, object_pairs_hook=_without_repetition)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ConfigProblem([f"this is no JSON: {error.msg} at {place}"]) from None
    except RecursionError:
        raise ConfigProblem(["this is no configuration: it is nested too deeply"]) from None
    if not isinstance(document, dict):
        raise ConfigProblem(["this is no configuration: it has to be a JSON object { … }"])
    try:
        return DeploymentConfig.model_validate(document)
    except ValidationError as error:
        raise ConfigProblem([_told(problem) for problem in error.errors()]) from None


def json_schema() -> str:
    """The JSON schema of the document, for editors."""
    schema = DeploymentConfig.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _without_repetition(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ConfigProblem([f"{name}: stands twice in the same object"])
        found[name] = value
    return found


_REASONS = {
    "string_pattern_mismatch": "does not have the form that is expected here",
    "bool_type": "has to be true or false",
    "bool_parsing": "has to be true or false",
    "int_type": "has to be a whole number",
    "string_type": "has to be text",
    "missing": "is missing",
    "model_type": "has to be an object { … }",
    "dict_type": "has to be an object { … }",
    "list_type": "has to be a list [ … ]",
}
_EXPECTED = {
    "api_url": "has to be an address such as http://llm.example:11553/v1/chat/completions",
    "bind": "has to be an address such as 0.0.0.0, 127.0.0.1 or [::]",
}


def _told(problem: Any) -> str:
    steps = [str(step) for step in problem["loc"] if not str(step).startswith("function-")]
    path = ".".join(steps)
    kind, message = problem["type"], problem["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(steps[-1], _keys(steps[:-1]), 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"{path}: there is no such setting{hint}"
    if not path:
        return str(message)
    if steps[0] == "environment" and "[key]" in steps:
        return f"{path.removesuffix('.[key]')}: names of settings are upper case, such as HTTP_PORT"
    reason = _EXPECTED.get(steps[-1]) if kind == "string_pattern_mismatch" else None
    return f"{path}: {reason or _REASONS.get(kind) or _lower(message)}"


def _lower(message: str) -> str:
    return re.sub(r"^Input should be", "has to be", message)


def _keys(steps: list[str]) -> list[str]:
    model: Any = DeploymentConfig
    for step in steps:
        annotation = model.model_fields[step].annotation
        options = (annotation, *get_args(annotation))
        model = next(o for o in options if isinstance(o, type) and issubclass(o, BaseModel))
    return list(model.model_fields)
