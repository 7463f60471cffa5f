"""`atoll-chat selftest`: ask the running server's model a question."""

from atoll_chat.commands import CommandError
from atoll_chat.control import ControlError, call
from atoll_chat.settings import Settings

TIMEOUT = 600.0


def run(settings: Settings) -> int:
    """Print the model, its answer and the seconds it took."""
    try:
        done = call(settings.run_dir, "selftest", {}, TIMEOUT)
    except ControlError as error:
        raise CommandError(str(error)) from error
    print(f"model:   {done['model']}")
    print(f"answer:  {done['answer']}")
    print(f"seconds: {done['seconds']}")
    return 0
