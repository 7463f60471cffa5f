"""The configuration of an installation as one JSON document, and what it means for `.env`.

`schema` says what may be in it, `variables` what it sets, `dotenv_file` changes `.env` and leaves
the rest of it alone, `site` writes the nginx file of an installation behind an nginx of its own,
and `apply` does all of it at once or nothing.
"""


class ConfigProblem(Exception):
    """The document is not valid. Each of `lines` begins with the path of the value."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
