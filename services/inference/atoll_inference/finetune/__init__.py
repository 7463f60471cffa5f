"""Teaches a base checkpoint to tell real from fake, and writes one that the service can judge with.

`recipe` is what a task has to say about itself; `training` does the rest, the same for all tasks:
it looks through the data (`samples`), splits it so that no source is on both sides (`split`),
trains with early stopping and can be killed at any time (`trainer`, `work`), and judges the files
that were held out with the engine that will serve the result (`report`).
"""


class FinetuneFailed(Exception):
    """The fine-tune cannot go on; the message says in one line why, and what to do."""
