"""Examples in the OpenAPI document."""

from typing import Any, cast


def example(summary: str, value: dict[str, Any]) -> Any:
    """One example of a request body, as FastAPI takes it."""
    return cast(Any, {"example": {"summary": summary, "value": value}})
