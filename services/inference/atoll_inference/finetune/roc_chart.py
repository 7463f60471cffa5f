"""Draws ROC curves as SVG, so that the report needs no plotting library."""

from collections.abc import Sequence
from html import escape

from atoll_inference.finetune.metrics import equal_error_rate, roc

_SIZE = 320
_LEFT, _TOP, _RIGHT, _BOTTOM = 60, 40, 20, 110
_COLOURS = ("#0b5cad", "#b3560b")
_DASHES = ("", ' stroke-dasharray="6 4"')


def roc_chart(title: str, labels: Sequence[int], judges: Sequence[tuple[str, list[float]]]) -> str:
    """An SVG document with the curve of each judge and its equal error rate as a dot.

    Args:
        labels: 0 real, 1 fake.
        judges: name and scores of one or two judges of the same files.
    """
    width, height = _LEFT + _SIZE + _RIGHT, _TOP + _SIZE + _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="24" font-size="14">{escape(title)}</text>',
        *_axes(),
    ]
    for index, (name, scores) in enumerate(judges):
        false_alarms, hits, _ = roc(labels, scores)
        rate, _ = equal_error_rate(labels, scores)
        points = " ".join(_point(x, y) for x, y in zip(false_alarms, hits, strict=True))
        colour, dash = _COLOURS[index], _DASHES[index]
        cx, cy = _point(rate, 1 - rate).split(",")
        line = _TOP + _SIZE + 62 + 20 * index
        parts += [
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>',
            f'<circle cx="{cx}" cy="{cy}" r="4" fill="{colour}"/>',
            f'<line x1="{_LEFT}" y1="{line - 4}" x2="{_LEFT + 28}" y2="{line - 4}" '
            f'stroke="{colour}" stroke-width="2"{dash}/>',
            f'<text x="{_LEFT + 36}" y="{line}">{escape(name)}: equal error rate {rate:.1%}</text>',
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _axes() -> list[str]:
    bottom, right = _TOP + _SIZE, _LEFT + _SIZE
    parts = [
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_SIZE}" height="{_SIZE}" fill="none" '
        'stroke="#555"/>',
        f'<line x1="{_LEFT}" y1="{bottom}" x2="{right}" y2="{_TOP}" stroke="#bbb"/>',
        f'<text x="{_LEFT + _SIZE / 2:g}" y="{bottom + 38}" text-anchor="middle">'
        "real files judged fake</text>",
        f'<text transform="translate(16 {_TOP + _SIZE / 2:g}) rotate(-90)" '
        'text-anchor="middle">fake files judged fake</text>',
    ]
    for percent in (0, 25, 50, 75, 100):
        x, y = _point(percent / 100, percent / 100).split(",")
        parts += [
            f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{percent}%</text>',
            f'<text x="{_LEFT - 6}" y="{float(y) + 4:g}" text-anchor="end">{percent}%</text>',
        ]
    return parts


def _point(x: float, y: float) -> str:
    return f"{_LEFT + _SIZE * x:.1f},{_TOP + _SIZE * (1 - y):.1f}"
