"""What is wrong with what is declared beside campaigns: scores, definitions, audiences, topics and all the others."""

from collections.abc import Iterator

from nurture import mentions
from nurture.addresses import KINDS
from nurture.audiences import Audience
from nurture.catalogue import Catalogue
from nurture.check import NAME
from nurture.definitions import SIDES, Definition
from nurture.faults import Fault
from nurture.forms import Form
from nurture.grades import Grade
from nurture.messengers import FIELD, Messenger
from nurture.offers import Offer
from nurture.retargeting.retarget import Retarget
from nurture.rewards import Reward
from nurture.score_faults import of_grade, of_score
from nurture.scores import Score
from nurture.surveys import Survey
from nurture.teams import Team
from nurture.topics import RESERVED, Topic

NAMED = (Score, Grade, Definition, Audience, Team, Messenger, Form, Offer, Survey, Reward, Retarget, Topic)
"""What is named by a key of the house's form."""


def faults_of_declared(value: object, catalogue: Catalogue, file: str) -> list[Fault]:
    """What is wrong with what is declared beside campaigns (a score, a definition, a form …) in `file`."""
    errors = [Fault("error", f"{file}: {place}", message) for place, message in _of_declared(value, catalogue)]
    return [*errors, *(Fault("warning", f"{file}: {place}", message) for place, message in _doubts(value))]


def _doubts(value: object) -> Iterator[tuple[str, str]]:
    """What may be meant so."""
    if isinstance(value, Definition) and not value.shadow and set(SIDES) - value.signed_by.keys():
        missing = " and ".join(side for side in SIDES if side not in value.signed_by)
        yield (
            f'definition "{value.key}"',
            f"not signed by {missing} in the code: give agreed_by, or sign it with nurture definitions sign",
        )


def _of_declared(value: object, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    if isinstance(value, NAMED) and not NAME.fullmatch(value.key):
        yield (
            f'{type(value).__name__.lower()} "{value.key}"',
            "this key cannot be used: write small letters, digits, - and _",
        )
        return
    match value:
        case Topic(key=key) if key in RESERVED:
            yield f'topic "{key}"', "this key has a meaning of its own: take another"
        case Score(key=key):
            yield from ((f'score "{key}", {place}', message) for place, message in of_score(value, catalogue))
        case Grade(key=key):
            yield from ((f'grade "{key}", {place}', message) for place, message in of_grade(value, catalogue))
        case Messenger(key=key) if key in KINDS:
            yield f'messenger "{key}"', "nurture has a channel of that name itself: choose another key"
        case Messenger(key=key, field=field) if not FIELD.fullmatch(field):
            yield f'messenger "{key}"', f'"{field}" holds no address: write "phone", or "messengers.{key}"'
        case Reward(key=key, when=trigger):
            for message in mentions.of_trigger(trigger, catalogue):
                yield f'reward "{key}"', message
        case Definition(key=key, ready=condition):
            for message in mentions.of_condition(condition, catalogue):
                yield f'definition "{key}"', message
            for side in value.signed_by.keys() - set(SIDES):
                yield (
                    f'definition "{key}", agreed_by',
                    f'"{side}" does not sign: write "marketing: name", "sales: name"',
                )
        case Retarget():
            yield from _of_retarget(value, catalogue)
        case Audience(key=key, who=condition) if condition is not None:
            for message in mentions.of_condition(condition, catalogue):
                yield f'audience "{key}"', message
        case _:
            return


def _of_retarget(retarget: Retarget, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    place = f'retarget "{retarget.key}"'
    named = mentions.of_name("audience", retarget.audience, catalogue.audiences)
    hooks = mentions.of_name("hook", retarget.hook, catalogue.hooks) if retarget.hook else ()
    yield from ((place, message) for message in (*named, *hooks))
    if not retarget.networks:
        yield f"{place}, networks", "there is none: name google, meta, vk or yandex"
    if retarget.topic in ("", "*"):
        yield f"{place}, topic", 'name what leads agree to, such as "ads"'
