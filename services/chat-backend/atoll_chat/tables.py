"""Every table, imported in one place so that migrations see the whole schema."""

from atoll_chat.accounts.tables import ApiKeyRow, LoginFailureRow, SessionRow, SettingRow, UserRow
from atoll_chat.conversations.tables import ConversationRow, MessageRow
from atoll_chat.files.tables import FileRow
from atoll_chat.jobs.tables import JobRow
from atoll_chat.runs.tables import RunEventsRow, RunRow
from atoll_chat.usage.tables import UsageRow

__all__ = [
    "ApiKeyRow",
    "ConversationRow",
    "FileRow",
    "JobRow",
    "LoginFailureRow",
    "MessageRow",
    "RunEventsRow",
    "RunRow",
    "SessionRow",
    "SettingRow",
    "UsageRow",
    "UserRow",
]
