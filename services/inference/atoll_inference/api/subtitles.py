"""Subtitle files from the segments of a transcription."""

from collections.abc import Iterable

from atoll_inference.engines.tasks.speech import Segment


def srt(segments: Iterable[Segment]) -> str:
    """SubRip: numbered blocks, times with a comma."""
    blocks = (
        f"{number}\n{_time(s.start, ',')} --> {_time(s.end, ',')}\n{s.text.strip()}\n"
        for number, s in enumerate(segments, 1)
    )
    return "\n".join(blocks)


def vtt(segments: Iterable[Segment]) -> str:
    """WebVTT: times with a full stop. `-->` inside a text would be read as a time, so it is cut."""
    blocks = (
        f"{_time(s.start, '.')} --> {_time(s.end, '.')}\n{s.text.strip().replace('-->', '->')}\n"
        for s in segments
    )
    return "WEBVTT\n\n" + "\n".join(blocks)


def _time(seconds: float, point: str) -> str:
    millis = round(seconds * 1000)
    hours, rest = divmod(millis, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    whole, millis = divmod(rest, 1000)
    return f"{hours:02}:{minutes:02}:{whole:02}{point}{millis:03}"
