"""What alembic runs. The connection is made and locked by `runner`."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection

import atoll_chat.tables  # noqa: F401 - every table has to be known
from atoll_chat.database import Base, Instant


def _render(kind: str, item: Any, _: Any) -> str | Literal[False]:
    # A revision must not change when the code does: it names plain column types only.
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    return False


def run() -> None:
    """Run the migrations on the connection that `runner` opened."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        # SQLite alters tables by copying them.
        render_as_batch=True,
        render_item=_render,
        compare_type=True,
        # All or nothing: `runner` begins the one transaction, and SQLite rolls tables back too.
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
