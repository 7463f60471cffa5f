"""Backups: one tar archive with the database, the files, the secrets and the configuration.

`taking` writes one while the server runs, `reading` unpacks and checks one, `restoring` puts one
in the place of the data.
"""


class BackupError(RuntimeError):
    """A backup could not be made, read or restored; the message says what to do."""
