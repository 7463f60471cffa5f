"""Every query on files, always through their owner."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from atoll_chat.files.tables import FileRow


class FileRepository:
    """The files of one user."""

    def __init__(self, session: AsyncSession, user_id: str) -> None:
        self._session = session
        self._user_id = user_id

    def add(self, row: FileRow) -> None:
        """Store a new file's row."""
        self._session.add(row)

    async def get(self, file_id: str) -> FileRow | None:
        """The file with this id."""
        query = select(FileRow).where(FileRow.id == file_id, FileRow.user_id == self._user_id)
        return await self._session.scalar(query)

    async def page(self, before: str | None, limit: int) -> Sequence[FileRow]:
        """The newest `limit` files older than the id `before`."""
        query = select(FileRow).where(FileRow.user_id == self._user_id)
        if before is not None:
            query = query.where(FileRow.id < before)
        return (await self._session.scalars(query.order_by(FileRow.id.desc()).limit(limit))).all()

    async def delete(self, file_id: str) -> bool:
        """Delete one row. False when there is none."""
        gone = await self._session.execute(
            delete(FileRow)
            .where(FileRow.id == file_id, FileRow.user_id == self._user_id)
            .returning(FileRow.id)
        )
        return gone.first() is not None
