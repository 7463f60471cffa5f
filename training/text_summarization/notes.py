"""Notes of meetings with their summaries, made up: what was decided, and who does what until when.

No real ones with summaries were at hand under a fitting licence, so these teach the form. Their
things and projects are drawn from texts that people wrote; nothing is measured on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PEOPLE = (
    "Anna", "Ben", "Carla", "David", "Elena", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Kira",
    "Lars", "Maria", "Nadia", "Omar", "Paula", "Quinn", "Rosa", "Samir", "Tina", "Uwe", "Vera",
    "Walter", "Xenia", "Yusuf", "Zoe", "Alice", "Bruno", "Chen", "Dora", "Emil", "Fiona", "George",
    "Hannah", "Ivan", "Julia", "Karim", "Leila", "Marco", "Nina", "Oscar", "Petra", "Rafael",
    "Sofia", "Tomas", "Ursula", "Victor", "Wendy", "Aisha", "Boris", "Clara", "Daniel", "Eva",
    "Felix", "Gita", "Helen", "Igor", "Jane", "Kofi", "Linda", "Mehmet", "Nora", "Olga", "Pavel",
    "Robert", "Sarah", "Thomas", "Simon", "Priya", "Peter", "Mark", "Laura", "Kevin", "James",
    "Emma", "Diana", "Chris", "Amir", "Mr Miller", "Dr Novak", "Ms Tanaka", "Mr Silva",
    "Mrs Brown", "Dr Khan",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_TEAMS = (
    "team", "group", "board", "committee", "project team", "sales team", "design group", "council",
    "editors", "support team", "finance team", "working group", "parents' council", "club",
)  # fmt: skip
_THINGS = (
    "website", "newsletter", "budget", "office", "kitchen", "printer", "server", "backup", "report",
    "contract", "invoice", "training", "summer party", "trade fair", "survey", "new building",
    "schedule", "coffee machine", "car park", "library", "database", "customer portal", "release",
    "price list", "warehouse", "delivery", "pilot", "test plan", "press release", "mobile app",
    "user manual", "security review", "garden", "school trip", "annual meeting", "meeting room",
    "heating", "roof", "telephone system", "mailing list", "logo", "catalogue", "workshop",
    "translation", "insurance", "road map", "interview", "job advert", "laptop", "archive",
    "membership fee", "grant application", "playground", "payment system", "access cards",
)  # fmt: skip
_DECIDE = (
    "move the {thing} to {day}", "postpone the {thing} until {month}", "cancel the {thing}",
    "buy {count} new {thing}s", "start the {thing} in {month}", "keep the {thing} as it is",
    "replace the {thing} with {name}", "use {name} for the {thing}", "stop using {name}",
    "pay for the {thing} from the reserve", "hire someone for the {thing}", "close the {thing} in "
    "{month}", "raise the budget of the {thing} by {count} percent", "try {name} for {count} weeks",
    "put the {thing} and the {other} together", "hold the {thing} every {count} weeks",
    "move from {name} to {thing}s of our own", "split the {thing} into {count} parts",
    "accept the offer of {count} thousand euros for the {thing}", "ask {name} for a second offer",
    "begin with the {thing} and do the {other} later", "publish the {thing} on {date}",
)  # fmt: skip
_DO = (
    "write to the customer about the {thing}", "look into the {thing}", "order the {thing}",
    "prepare the {thing}", "check the {thing} with {name}", "send the {thing} to everybody",
    "call {name} about the {thing}", "update the {thing}", "find a room for the {thing}",
    "compare {count} offers for the {thing}", "draft the {thing}", "test the {thing} again",
    "talk to {person} about the {thing}", "book the {thing}", "collect questions about the {thing}",
    "translate the {thing}", "fix the {thing}", "present {name} at the next meeting",
    "make a list of what the {thing} needs", "sign the contract for the {thing}",
    "describe how the {thing} and the {other} work together", "write the minutes",
)  # fmt: skip
_ASIDES = (
    "{person} reported that the {thing} arrived last week.",
    "{person} said that the {thing} still does not work.", "The {thing} was discussed at length.",
    "{person} showed a first version of the {thing}.", "Nobody had news about the {thing}.",
    "{name} was mentioned as an example.", "The {thing} costs about {count} thousand euros a year.",
    "{person} is on holiday until {day}.", "There were {count} questions about the {thing}.",
    "{person} thinks that the {thing} is more urgent than the {other}.",
    "The {thing} has been late for {count} weeks.", "{person} thanked {other_person} for the "
    "{thing}.", "Some people did not like the {thing}.", "The numbers for the {thing} look good.",
    "{person} asked whether {name} could help.", "We had {count} complaints about the {thing}.",
    "The last {thing} was a success.", "{person} explained how {name} works.",
    "The minutes of the last meeting were accepted.", "The {thing} and the {other} are finished.",
    "{person} could not come.", "It is not clear yet who pays for the {thing}.",
)  # fmt: skip
_HEADS = (
    "Meeting of the {team} on {date}. Present: {person}, {other_person} and {third_person}.",
    "Notes from {day}'s meeting. {person} and {other_person} were there, {third_person} was ill.",
    "The {team} met on {day}.", "Minutes, {date}.", "{team_capital} meeting, {day}.",
    "{person} opened the meeting at {count} o'clock.", "Topic: {thing}.", "", "",
)  # fmt: skip
_TAILS = ("Next meeting: {date}.", "The next meeting is on {day}.", "{person} closed the meeting.")
_DECISIONS = (
    "We agreed to {it}.", "It was decided to {it}.", "Decision: {it}.",
    "The {team} decided to {it}.",
    "After some discussion we decided to {it}.", "{person} proposed to {it}, and all agreed.",
    "In the end the {team} voted to {it}.", "Agreed: {it}.", "Everybody was in favour, so we will "
    "{it}.", "{person} suggested to {it}. This was accepted.",
)  # fmt: skip
_ACTIONS = (
    "{person} will {it} by {day}.", "{person} to {it} by {day}.",
    "Action: {person} to {it} by {day}.", "{person} promised to {it} by {day}.",
    "{person} offered to {it}, until {day}.",
    "TODO {person}: {it} (by {day}).", "By {day} {person} will {it}.",
)  # fmt: skip
_OPEN_ACTIONS = (
    "{person} will {it}.", "{person} to {it}.", "Action: {person} to {it}.", "{person} takes care: "
    "{it}.", "{person} agreed to {it}.", "TODO {person}: {it}.",
)  # fmt: skip

OPEN = 0.4
"""Share of the things that are drawn from other texts."""


@dataclass(frozen=True, slots=True)
class Note:
    """Notes of a meeting, and what matters of them."""

    text: str
    summary: str


def note(random: np.random.Generator, names: Sequence[str]) -> Note:
    """One that the generator makes up; `names` are of products, places, people or projects."""
    words = _Words(random, names)
    team = words.pick(_TEAMS)
    said: list[str] = []
    summary: list[str] = []
    head = words.fill(words.pick(_HEADS), team=team)
    for number in range(int(random.integers(1, 3))):
        it = words.fill(words.pick(_DECIDE))
        said.append(words.fill(words.pick(_DECISIONS), it=it, team=team))
        # Who decided is said only where the notes tell.
        known = team in head.lower() or any(team in sentence for sentence in said)
        who = team if known else "group"
        summary.append(f"The {who} {'also ' if number else ''}decided to {it}.")
    first_action = len(said)
    for _ in range(int(random.integers(0, 3))):
        it, person = words.fill(words.pick(_DO)), words.pick(PEOPLE)
        day = words.pick(_DAYS)
        due = random.random() < 0.5
        said.append(words.fill(words.pick(_ACTIONS if due else _OPEN_ACTIONS),
                               it=it, person=person, day=day))  # fmt: skip
        summary.append(f"{person} will {it} by {day}." if due else f"{person} will {it}.")
    # What is to be done mostly follows what was decided; asides stand anywhere.
    for _ in range(int(random.integers(1, 6))):
        said.insert(int(random.integers(0, len(said) + 1)), words.fill(words.pick(_ASIDES)))
    if random.random() < 0.1 and len(summary) > first_action:
        said.reverse()
    tail = words.fill(words.pick(_TAILS)) if random.random() < 0.4 else ""
    joint = "\n" if random.random() < 0.3 else " "
    return Note(joint.join(filter(None, (head, *said, tail))), " ".join(summary))


def asides(random: np.random.Generator, names: Sequence[str], count: int) -> list[str]:
    """Sentences of a meeting that decide nothing."""
    words = _Words(random, names)
    return [words.fill(words.pick(_ASIDES)) for _ in range(count)]


class _Words:
    """Fills the gaps of sentences."""

    def __init__(self, random: np.random.Generator, names: Sequence[str]) -> None:
        self._random = random
        self._names = names

    def pick(self, choices: Sequence[str]) -> str:
        return choices[int(self._random.integers(len(choices)))]

    def fill(self, sentence: str, **given: str) -> str:
        gaps = {
            "thing": self._thing(),
            "other": self._thing(),
            "name": self.pick(self._names),
            "person": self.pick(PEOPLE),
            "other_person": self.pick(PEOPLE),
            "third_person": self.pick(PEOPLE),
            "team": self.pick(_TEAMS),
            "day": self.pick(_DAYS),
            "month": self.pick(_MONTHS),
            "date": f"{self._random.integers(1, 29)} {self.pick(_MONTHS)}",
            "count": str(self._random.integers(2, 30)),
        }
        gaps.update(given)
        gaps["team_capital"] = gaps["team"].capitalize()
        return sentence.format(**gaps)

    def _thing(self) -> str:
        """Often something that no list here has, so that copying is learnt and not the list."""
        return self.pick(self._names if self._random.random() < OPEN else _THINGS)
