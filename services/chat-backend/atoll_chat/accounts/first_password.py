"""The file in which the first administrator finds a generated password."""

import os
from pathlib import Path

from atoll_kit.logs import get_logger

log = get_logger(__name__)

NAME = "first-admin-password"


class FirstPassword:
    """`DATA_DIR/first-admin-password`: readable by the service's user alone."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / NAME

    def write(self, password: str) -> None:
        """Store `password`, whole or not at all.

        Raises:
            OSError: the folder cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(f".{NAME}.{os.getpid()}")
        partial.unlink(missing_ok=True)
        file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, f"{password}\n".encode())
            os.fsync(file)
        finally:
            os.close(file)
        partial.rename(self.path)

    def forget(self, password: str) -> None:
        """Delete the file if it holds `password`, which no longer works."""
        try:
            if self.path.read_text().rstrip("\n") == password:
                self.path.unlink()
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            # The password in it is worth nothing any more, so this must not stop anybody.
            log.warning("first_password_file_left", error=str(error))

    def discard(self) -> None:
        """Delete the file, whatever it holds."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("first_password_file_left", error=str(error))
