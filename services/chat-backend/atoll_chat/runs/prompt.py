"""A branch of a conversation as the messages of a completion request."""

from collections.abc import Iterable

from atoll_chat.conversations.schemas import Message


def prompt(branch: Iterable[Message]) -> list[dict[str, str]]:
    """The turns of `branch`, root first.

    Answers that failed before their first word are left out. Questions that then stand side by
    side become one, because many chat templates insist that the roles alternate.
    """
    turns: list[dict[str, str]] = []
    for message in branch:
        if not message.content.strip():
            continue
        if turns and turns[-1]["role"] == message.role:
            turns[-1]["content"] += "\n\n" + message.content
        else:
            turns.append({"role": message.role, "content": message.content})
    return turns
