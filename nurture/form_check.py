"""What is wrong with a form: fields that nobody has, questions that its definition needs, an event that nobody hears."""

from collections.abc import Iterable, Iterator

from nurture import mentions
from nurture.campaign import State
from nurture.catalogue import Catalogue
from nurture.conditions import Is, field_words, leaves
from nurture.faults import Fault, did_you_mean
from nurture.fields import FIELDS, GROUPS, why_never
from nurture.forms import Form, FormField
from nurture.stages import STAGES
from nurture.steps import AnyStep, Ask, Branch, Confirm, WaitFor

NAMING = ("email", "phone")
KNOWN_OTHERWISE = frozenset({"stage", "tags", "audiences", "source", "score", "first_touch", "last_touch"})
"""Fields that a form does not ask for."""


def faults_of_form(form: Form, catalogue: Catalogue, file: str) -> list[Fault]:
    """All of it, in the order of the file."""
    place = f'{file}: form "{form.key}"'
    errors = (Fault("error", f"{place}{at}", message) for at, message in _errors(form, catalogue))
    warnings = (Fault("warning", f"{place}{at}", message) for at, message in _warnings(form, catalogue))
    return [*errors, *warnings]


def _errors(form: Form, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    for one in form.fields:
        for message in _of_question(one):
            yield f", field {one.name}", message
    names = [one.name for one in form.fields]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f", field {name}", "is asked twice: take one away"
    if not any(one.required and one.name in NAMING for one in form.fields):
        yield ", fields", "nobody is named: ask for field(lead.email, required=True)"
    if form.serves:
        for message in mentions.of_name("definition", form.serves, catalogue.definitions):
            yield ", serves", message
    if form.stage not in STAGES:
        yield ", stage", f'there is no stage "{form.stage}": {did_you_mean(form.stage, STAGES)}'
    if form.consent and catalogue.topics:
        for message in mentions.of_name("topic", form.topic, catalogue.topics):
            yield ", topic", message
    if form.double_opt_in and not form.consent:
        yield ", double_opt_in", "there is nothing to confirm: give the words of the consent, consent=…"
    if form.double_opt_in and not any(isinstance(one, Confirm) and one.form == form.key for one in _steps(catalogue)):
        yield ", double_opt_in", f'no campaign asks to confirm it: write confirm("{form.key}") in the one it enters'


def _of_question(one: FormField) -> Iterator[str]:
    yield from mentions.of_field(one.path)
    if one.path[0] not in FIELDS and one.path[0] not in GROUPS:
        yield "is not for a visitor to say: ask for another field"
        return
    for choice in one.choices:
        if why := why_never(one.path, choice.value):
            yield f'can never be "{choice.value}": {why}'


def _warnings(form: Form, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    if form.event not in _heard(catalogue):
        yield ", event", f'nobody listens for "{form.event}": let a campaign, a score or a definition do'
    definition = catalogue.definitions.get(form.serves)
    if definition is None:
        return
    asked = {one.path for one in form.fields} | {one.field for one in _steps(catalogue) if isinstance(one, Ask)}
    asked |= {one.path for other in catalogue.forms.values() for one in other.fields}
    needed = [one.path for one in leaves(definition.ready) if isinstance(one, Is)]
    for path in dict.fromkeys(needed):
        if path not in asked and path[0] not in KNOWN_OTHERWISE and path != ("bant", "complete"):
            yield ", serves", f"{form.serves} needs the {field_words(path)}, which no form and no question asks for"


def _heard(catalogue: Catalogue) -> set[str]:
    """The events that anything at all depends on."""
    keys: set[str] = set()
    for version in catalogue.campaigns.values():
        campaign = version.campaign
        rests = [step for step in _all(campaign.states) if isinstance(step, WaitFor | Branch)]
        arms = [arm for step in rests for arm in step.arms]
        goal = [campaign.goal] if campaign.goal is not None else []
        for one in (*campaign.enters, *campaign.exits, *campaign.always, *goal, *arms):
            keys |= one.depends_on()
    for score in catalogue.scores.values():
        for rule in score.rules:
            keys |= rule.trigger.depends_on()
    for definition in catalogue.definitions.values():
        keys |= definition.ready.depends_on()
    for audience in catalogue.audiences.values():
        keys |= audience.condition.depends_on()
    return {key.removeprefix("event.") for key in keys if key.startswith("event.")}


def _steps(catalogue: Catalogue) -> list[AnyStep]:
    return [step for version in catalogue.campaigns.values() for step in _all(version.campaign.states)]


def _all(states: Iterable[State]) -> Iterator[AnyStep]:
    for state in states:
        yield from state.steps
