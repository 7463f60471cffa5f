"""A log line is one JSON object, also for libraries, and carries the request id."""

import json
import logging
from pathlib import Path

import pytest
import structlog

from atoll_kit.logs import configure_logging, get_logger


def test_lines_are_json_with_service_and_request_id(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("example", "INFO", tmp_path)
    try:
        with structlog.contextvars.bound_contextvars(request_id="r1"):
            get_logger("here").info("happened", count=3, text="汉字")
            logging.getLogger("library").warning("odd %s", "value")
        ours, theirs = map(json.loads, (tmp_path / "example.log").read_text().splitlines())
    finally:
        for handler in logging.getLogger().handlers[:]:
            logging.getLogger().removeHandler(handler)
            handler.close()
        structlog.reset_defaults()
    assert ours["event"] == "happened"
    assert ours["count"] == 3
    assert ours["text"] == "汉字"
    assert theirs["event"] == "odd value"
    assert {ours["service"], theirs["service"]} == {"example"}
    assert {ours["request_id"], theirs["request_id"]} == {"r1"}
    assert "happened" in capsys.readouterr().out
