"""Routes of files, for their owners and for the inference service."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import FileResponse
from starlette.requests import HTTPConnection

from atoll_chat.accounts.dependencies import CurrentUser
from atoll_chat.backend import backend_of
from atoll_chat.files.schemas import File
from atoll_chat.files.service import FilesService
from atoll_chat.paging import Page

router = APIRouter(tags=["files"])

_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The bytes of the file.", "content": {"application/octet-stream": {}}}
}
# A stored page must not run as one of ours, whatever a browser makes of it.
_HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-cache",
}


async def _files(connection: HTTPConnection) -> FilesService:
    return backend_of(connection).files


Files = Annotated[FilesService, Depends(_files)]


@router.post("/api/files", status_code=201, openapi_extra=_FORM)
async def upload_file(request: Request, user: CurrentUser, files: Files) -> File:
    """Store one file, sent as the field `file` of a multipart form."""
    return await files.upload(
        user.user_id, request.headers.get("content-type", ""), request.stream()
    )


@router.get("/api/files")
async def list_files(
    user: CurrentUser,
    files: Files,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Page[File]:
    """The user's files, the newest first."""
    return await files.page(user.user_id, cursor, limit)


@router.get("/api/files/{file_id}")
async def get_file(file_id: str, user: CurrentUser, files: Files) -> File:
    """What is known of a file."""
    return await files.get(user.user_id, file_id)


@router.get("/api/files/{file_id}/content", response_class=FileResponse, responses=_BYTES)
async def get_file_content(file_id: str, user: CurrentUser, files: Files) -> FileResponse:
    """The bytes of a file, as an attachment. Ranges are served."""
    return await _content(files, user.user_id, file_id)


@router.delete("/api/files/{file_id}", status_code=204)
async def delete_file(file_id: str, user: CurrentUser, files: Files) -> None:
    """Delete a file for good."""
    await files.delete(user.user_id, file_id)


@router.get("/internal/files/{file_id}", include_in_schema=False)
async def get_file_for_service(
    file_id: str, files: Files, x_atoll_user: Annotated[str, Header()]
) -> FileResponse:
    """The bytes of a file for the inference service, on behalf of the user it names."""
    return await _content(files, x_atoll_user, file_id)


async def _content(files: FilesService, user_id: str, file_id: str) -> FileResponse:
    file, path = await files.content(user_id, file_id)
    return FileResponse(
        path,
        media_type=file.media_type,
        filename=file.name,
        content_disposition_type="attachment",
        headers=_HARMLESS,
    )
