"""Grades as code: fit by interest as a letter and a number, from A1 to D4."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from nurture.conditions import All, Condition, Either, Is, Not

Written = TypeVar("Written", bound=BaseModel)

LETTERS, NUMBERS = "ABCD", "1234"
NAMES = tuple(letter + number for letter in LETTERS for number in NUMBERS)


class Grade(BaseModel):
    """How well a lead fits (the letter, by one score) and how much it is interested (the number, by another).

    `letters` are the least points of `fit` for A, B and C, `numbers` those of `interest` for 1, 2 and 3; below is D, and 4.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    fit: str
    interest: str
    letters: tuple[float, float, float] = (75, 50, 25)
    numbers: tuple[float, float, float] = (75, 50, 25)
    title: str = ""

    def of(self, scores: Mapping[str, float]) -> str:
        """The grade by those scores."""
        letter = _place(scores.get(self.fit, 0), self.letters)
        return LETTERS[letter] + NUMBERS[_place(scores.get(self.interest, 0), self.numbers)]

    def means(self, names: Iterable[str]) -> Condition:
        """The condition on the scores that is true of the leads with one of those grades."""
        found = [self._means(name) for name in names]
        return found[0] if len(found) == 1 else Either.model_validate({"of": tuple(found)})

    def _means(self, name: str) -> Condition:
        fit = _between(self.fit, self.letters, LETTERS.index(name[0]))
        interest = _between(self.interest, self.numbers, NUMBERS.index(name[1]))
        return All.model_validate({"of": (*fit, *interest)})


def _place(points: float, least: tuple[float, ...]) -> int:
    return next((at for at, one in enumerate(least) if points >= one), len(least))


def _between(score: str, least: tuple[float, ...], place: int) -> list[Condition]:
    """What a score meets in that place. It is said by what it is not, since no points at all are unknown."""
    found: list[Condition] = []
    if place < len(least):
        found.append(Is(path=("score", score), op=">=", value=least[place]))
    if place > 0:
        found.append(Not(of=Is(path=("score", score), op=">=", value=least[place - 1])))
    return found


def resolved(written: Written, grades: Mapping[str, Grade]) -> Written:
    """The same, with every grade that it asks for as what the grade means; unknown ones stay, for the check to find."""
    if not grades:
        return written
    tree = written.model_dump(mode="json")
    meant = _resolved(tree, grades)
    return written if meant == tree else type(written).model_validate(meant)


def _resolved(tree: Any, grades: Mapping[str, Grade]) -> Any:
    match tree:
        case {"kind": "is", "path": ["grade", str(name)], "op": op, "value": value} if name in grades:
            names = value if isinstance(value, list) else [value]
            if not set(names) <= set(NAMES):
                return tree
            meant = grades[name].means(names)
            return (Not.model_validate({"of": meant}) if op == "!=" else meant).model_dump(mode="json")
        case dict():
            return {name: _resolved(one, grades) for name, one in tree.items()}
        case list():
            return [_resolved(one, grades) for one in tree]
        case _:
            return tree
