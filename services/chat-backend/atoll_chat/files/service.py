"""Files of users: rules and the pairing of rows and contents."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from atoll_chat.database import Database
from atoll_chat.files.multipart import FileForm, clean_media_type, clean_name
from atoll_chat.files.repository import FileRepository
from atoll_chat.files.schemas import File
from atoll_chat.files.storage import Storage, Stored
from atoll_chat.files.tables import FileRow
from atoll_chat.identifiers import new_id, now
from atoll_chat.paging import Page, decode_cursor, encode_cursor
from atoll_chat.settings import Settings
from atoll_kit.errors import ApiError, NotFound
from atoll_kit.logs import get_logger

log = get_logger(__name__)

Also = Callable[[AsyncSession, File], Awaitable[None]]
"""What somebody else writes in the transaction that makes a file known."""


class FilesService:
    """Stores files and gives them back to their owners."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        self._storage = Storage(settings.files_dir, settings.max_upload_bytes)
        self._storage.prepare()

    async def upload(self, user_id: str, content_type: str, body: AsyncIterator[bytes]) -> File:
        """Store the file in a multipart form.

        Args:
            content_type: the request's header, with the boundary.
            body: the request's bytes as they come.

        Raises:
            ApiError: 400 `invalid_multipart`, 413 `file_too_large`, 415, 422 `missing_file` or
                `one_file`, 507 `storage_full`. Nothing is left behind.
        """
        form = FileForm(content_type, body)
        file_id = new_id()
        stored = await self._storage.write(file_id, form.chunks())
        part = form.part
        assert part is not None
        name, media_type = part.filename or "", part.media_type
        return await self._record(user_id, file_id, stored, name=name, media_type=media_type)

    async def store(
        self,
        user_id: str,
        *,
        name: str,
        media_type: str,
        chunks: AsyncIterator[bytes],
        also: Also | None = None,
    ) -> File:
        """Store a file that this server made for a user.

        Args:
            also: what else is written in the transaction that makes the file known.

        Raises:
            ApiError: 413 `file_too_large`, 507 `storage_full`, or what `chunks` or `also` raise.
                Nothing is left behind.
        """
        file_id = new_id()
        stored = await self._storage.write(file_id, chunks)
        return await self._record(
            user_id, file_id, stored, name=name, media_type=media_type, also=also
        )

    async def _record(
        self,
        user_id: str,
        file_id: str,
        stored: Stored,
        *,
        name: str,
        media_type: str,
        also: Also | None = None,
    ) -> File:
        row = FileRow(
            id=file_id,
            user_id=user_id,
            name=clean_name(name),
            media_type=clean_media_type(media_type),
            size=stored.size,
            sha256=stored.sha256,
            created_at=now(),
        )
        file = File.model_validate(row)
        try:
            async with self._database.write() as session:
                FileRepository(session, user_id).add(row)
                if also:
                    await also(session, file)
        except BaseException:
            self._storage.delete(file_id)
            raise
        return file

    async def page(self, user_id: str, cursor: str | None, limit: int) -> Page[File]:
        """A page of the user's files, the newest first."""
        before = str(decode_cursor(cursor, 1)[0]) if cursor else None
        async with self._database.read() as session:
            rows = await FileRepository(session, user_id).page(before, limit + 1)
        items = [File.model_validate(row) for row in rows[:limit]]
        more = len(rows) > limit
        return Page(items=items, next_cursor=encode_cursor(items[-1].id) if more else None)

    async def get(self, user_id: str, file_id: str) -> File:
        """One file.

        Raises:
            NotFound: absent, or another user's.
        """
        async with self._database.read() as session:
            row = await FileRepository(session, user_id).get(file_id)
        if row is None:
            raise _absent()
        return File.model_validate(row)

    async def content(self, user_id: str, file_id: str) -> tuple[File, Path]:
        """One file and where its content is.

        Raises:
            NotFound: absent, or another user's.
            ApiError: 500 `file_lost`: the content is gone from the disk.
        """
        file = await self.get(user_id, file_id)
        path = self._storage.path(file.id)
        if not path.is_file():
            log.error("file_lost", file=file.id)
            raise ApiError(
                "The content of this file is missing on the server. Ask an administrator to "
                "restore it from a backup.",
                code="file_lost",
            )
        return file, path

    async def delete(self, user_id: str, file_id: str) -> None:
        """Delete one file.

        Raises:
            NotFound: absent, or another user's.
        """
        async with self._database.write() as session:
            found = await FileRepository(session, user_id).delete(file_id)
        if not found:
            raise _absent()
        self._storage.delete(file_id)


def _absent() -> ApiError:
    return NotFound("There is no such file.")
