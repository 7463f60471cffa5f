"""For every test suite of this repository."""

import structlog

# Where `rich` happens to be installed, a logged exception would be drawn with the values of every
# variable, which takes seconds.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)
