"""In which order the jobs of all users get their turns."""

from collections import defaultdict
from collections.abc import Iterable


class Turns:
    """The users take turns: whoever was served longest ago comes first, each with their oldest job.

    So the many jobs of one user never keep another's single job waiting for all of them. What was
    served before a restart is forgotten.
    """

    def __init__(self) -> None:
        self._served: dict[str, int] = {}
        self._count = 0

    def served(self, user_id: str) -> None:
        """Note that a job of this user was begun."""
        self._count += 1
        self._served[user_id] = self._count

    def order(self, jobs: Iterable[tuple[str, str]]) -> list[str]:
        """Ids of `jobs` in the order of their turns.

        Args:
            jobs: id and owner of each, the oldest first.
        """
        before: dict[str, int] = defaultdict(int)
        ranked: list[tuple[int, int, str]] = []
        for id, user_id in jobs:
            ranked.append((before[user_id], self._served.get(user_id, 0), id))
            before[user_id] += 1
        return [id for _, _, id in sorted(ranked)]
