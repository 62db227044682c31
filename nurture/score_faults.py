"""What is wrong with a score or a grade: each fault with its place in it and the remedy."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta

from nurture import mentions
from nurture.catalogue import Catalogue
from nurture.conditions import Happened, leaves
from nurture.grades import Grade
from nurture.scores import OURS, Rule, Score
from nurture.triggers import On

NOTHING = timedelta(0)


def of_score(score: Score, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """The faults of a score, its rules and thresholds, by their place."""
    if score.half_life is not None and score.half_life <= NOTHING:
        yield "half_life", "must be longer than zero"
    times = Counter(rule.key for rule in score.rules)
    for at, rule in enumerate(score.rules, 1):
        place = f"rule {at}"
        yield from ((place, message) for message in mentions.of_trigger(rule.trigger, catalogue))
        yield from ((place, message) for message in _of_rule(score, rule, catalogue.scores))
        if times[rule.key] > 1:
            yield (
                place,
                f"{rule.key} stands {times[rule.key]} times: one rule is known by what it hears, give it all the points",
            )
    if round_trip := _circle(score, catalogue.scores):
        yield "rules", f"{' → '.join(round_trip)} goes round: a score cannot look at itself"
    for one in score.thresholds:
        if one.lower > one.at:
            yield f'threshold "{one.key}"', "would fire again and again: give a rearm that is not above at"
    for key, number in Counter(one.key for one in score.thresholds).items():
        if number > 1:
            yield f'threshold "{key}"', f"stands {number} times: give each its own key"


def _of_rule(score: Score, rule: Rule, scores: Mapping[str, Score]) -> Iterator[str]:
    if rule.at_most is not None and rule.at_most < 1:
        yield "at_most allows nothing: give at least 1"
    if rule.per is not None and (rule.at_most is None or rule.per <= NOTHING):
        yield "per is the period of a cap: give at_most, and a period longer than zero"
    if isinstance(rule.trigger, On):
        if rule.trigger.event.event in OURS:
            yield f"{rule.trigger.event.event} is our own doing and gives no points: hear what the lead does"
        if rule.trigger.event.event == "message_opened":
            yield "opens give no points, since machines open mail: hear clicked()"
        return
    if rule.at_most is not None:
        yield "at_most is for events: a condition gives its points once, as long as it is true"
    if score.half_life is not None:
        yield "a fact does not fade: put it into a score without half_life, or hear an event with on(…)"
    for leaf in leaves(rule.trigger.condition):
        if isinstance(leaf, Happened) and leaf.period is not None:
            yield f"{leaf.words()}: time alone would change it; hear the event with on(…), at_most= and per=, or half_life="
    for key in sorted(score.builds_on):
        other = scores.get(key)
        if other is not None and other.half_life is not None and other.key != score.key:
            yield f'score "{key}" fades, so time alone would change this one: build on scores without half_life'


def _circle(score: Score, scores: Mapping[str, Score]) -> list[str]:
    """The way from the score back to it over what scores look at; nothing when there is none."""
    ways = [[score.key, key] for key in sorted(score.builds_on)]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        if way[-1] == score.key:
            return way
        if way[-1] in seen or way[-1] not in scores:
            continue
        seen.add(way[-1])
        ways += [[*way, key] for key in sorted(scores[way[-1]].builds_on)]
    return []


def of_grade(grade: Grade, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """The faults of a grade."""
    for place, name in (("fit", grade.fit), ("interest", grade.interest)):
        yield from ((place, message) for message in mentions.of_name("score", name, catalogue.scores))
    for place, least in (("letters", grade.letters), ("numbers", grade.numbers)):
        if not least[0] > least[1] > least[2]:
            yield place, f"{', '.join(f'{one:g}' for one in least)} do not fall: the best place takes the most points"
