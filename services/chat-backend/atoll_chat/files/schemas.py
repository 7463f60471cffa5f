"""Answers of the file routes."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class File(BaseModel):
    """An uploaded file, without its content."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str = Field(description="What the user called it; at most 255 characters.")
    media_type: str = Field(description="What the client said it is; nothing relies on it.")
    size: int = Field(description="Bytes.")
    sha256: str
    created_at: datetime
