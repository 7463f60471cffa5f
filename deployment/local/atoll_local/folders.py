"""The folders of a stack."""

from pathlib import Path

from atoll_local.environment import Environment
from atoll_local.problem import Problem


def make_folders(environment: Environment) -> None:
    """Create DATA_DIR and what belongs into it.

    Raises:
        Problem: the folder cannot be written, with the remedy.
    """
    run = environment.run_dir.parent
    private = (environment.logs_dir, environment.run_dir)
    # Passable, not readable: nginx's workers may run under another account.
    passable = (environment.data_dir, run, environment.gateway_dir)
    for folder, mode in [*((f, 0o711) for f in passable), *((f, 0o700) for f in private)]:
        _make(folder, mode)


def _make(folder: Path, mode: int) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(exist_ok=True, mode=mode)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise Problem(
            f"DATA_DIR: {folder} cannot be written ({error.strerror}). Make it writable for this "
            "account, or choose another folder: DATA_DIR=/path"
        ) from None
