"""Cuts a long text into pieces that a model can read, at the ends of sentences where it can."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

# An end of a sentence, with quotes that close it, or a line's. Every part has a bounded length, so
# that a page of full stops takes no longer than any other.
_END = re.compile("[.!?…][\"'”’»)\\]]{0,3}\\s|[。！？]|\\n")


def sentence_borders(text: str, offsets: Sequence[tuple[int, int]]) -> list[int]:
    """Indices of tokens that begin a sentence, ascending, without the first token.

    Args:
        offsets: where each token begins and ends in the text, in characters.
    """
    ends = [end for _, end in offsets]
    found = {bisect_right(ends, match.end()) for match in _END.finditer(text)}
    return sorted(index for index in found if 0 < index < len(offsets))


def chunks(count: int, borders: Sequence[int], room: int) -> list[tuple[int, int]]:
    """Ranges that cover `count` tokens in order, each of at most `room`, about equally long.

    Each ends at the border nearest to where an even cut would be. Where no sentence ends between
    half of that and `room`, the cut is even, within a sentence.
    """
    ranges = []
    start = 0
    while count - start > room:
        left = count - start
        even = -(-left // -(-left // room))
        low = bisect_left(borders, start + even // 2 + 1)
        high = bisect_right(borders, start + room)
        end = min(
            borders[low:high], key=lambda border: abs(border - start - even), default=start + even
        )
        ranges.append((start, end))
        start = end
    ranges.append((start, count))
    return ranges
