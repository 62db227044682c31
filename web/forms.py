"""Forms: a GET shows one, a POST makes a visitor a known lead and leads on; neither needs JavaScript.

What a machine sends is answered as a person's is, and noted as a machine's: it names a lead and says nothing more of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from re import fullmatch
from typing import Annotated, Any
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Depends, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from nurture.arrivals import LONGEST_URL, Context, Page, arrived, clean, host_of, origin_of, path_of, read_url
from nurture.errors import NotFound, Refused, Unavailable
from nurture.forms import LONGEST_ANSWER, Form, FormField
from nurture.intake import Consent, Internal
from nurture.intake.capturing import Captured, Proof
from nurture.intake.incoming import stable_id
from nurture.links import Shown
from nurture.store.models import new_id
from nurture.texts import Text, in_language
from web.bodies import form_of
from web.looks import HEADERS, language_of, page, policy
from web.looks.words import WORDS
from web.machines import machine
from web.state import State, clock, present
from web.throttle import address_of, caller_of
from web.tracker import DEVICE

SOONEST = timedelta(seconds=2)  # nobody fills in a form faster
GOOD_FOR = timedelta(hours=12)  # a page that was open for longer is shown again
COOKIE = r"[A-Za-z0-9_-]{16,64}"
TRAP = "website"
log = structlog.get_logger()
Here = Annotated[State, Depends(present)]
routes = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Place:
    """Where a form stands: the page and what led there, as the context of what happens, and as it is counted."""

    url: str
    referrer: str
    name: str
    placement: str


@dataclass(frozen=True)
class Again:
    """Why a form is shown once more: what was typed, what to say of it, and by field what is wrong."""

    typed: dict[str, str] = field(default_factory=dict)
    notice: str = ""
    status: int = 200
    faults: dict[str, str] = field(default_factory=dict)


FIRST_TIME = Again()


@dataclass(frozen=True)
class Asked:
    """One question as the page shows it."""

    name: str
    label: str
    hint: str
    kind: str
    required: bool
    value: str
    fault: str
    choices: tuple[tuple[str, str], ...]
    attributes: Markup


@routes.api_route("/f/{key}", methods=["GET", "HEAD"])
async def show_form(key: str, request: Request, here: Here) -> Response:
    """The form's page."""
    form, now = _form(here, key), clock()
    place = _place(
        here, form, str(request.url), request.headers.get("referer", ""), request.query_params.get("page", "")
    )
    if not machine(request):
        here.captures.note(form.key, place.name, place.placement, "views", now)
    return _page(here, form, _language(request, form), place)


@routes.post("/f/{key}")
async def fill_in(key: str, request: Request, here: Here) -> Response:
    """Take the answers in, and lead on; the page comes again with what was typed when something is wrong."""
    form, now = _form(here, key), clock()
    given = await form_of(request)
    language = _language(request, form, given.get("language", ""))
    came_from = request.headers.get("referer", "")
    place = _place(here, form, given.get("page") or came_from, given.get("referrer", ""), given.get("place", ""))

    def again(notice: str, status: int, faults: dict[str, str] | None = None) -> Response:
        return _page(here, form, language, place, Again(given, notice, status, faults or {}))

    shown = _shown(here, form, given.get("token", ""), now)
    if shown is None and request.headers.get("origin", "") not in here.settings.sites:
        return again("again", 422)
    by_machine = machine(request) or bool(given.get(TRAP)) or (shown is not None and now - shown.at < SOONEST)
    here.captures.note(form.key, place.name, place.placement, "machines" if by_machine else "attempts", now)
    filled = form.filled(given)
    named = _named(filled.lead)
    if not here.callers.lets(caller_of(request)) or (named and not here.addresses.lets(named)):
        return again("too_many", 429)
    if filled.faults:
        return again("faults", 422, filled.faults)
    cookie = request.cookies.get(DEVICE) or given.get("visitor", "")
    told = Filling(form, filled.lead, given, language, place, address_of(request), cookie, by_machine)
    item = told.as_internal(shown.nonce if shown is not None else new_id())
    try:
        (result,) = await here.intake.accept([item], now)
    except Unavailable:
        return again("not_now", 503)
    if result.error is not None and not isinstance(result.error, Refused):  # who was erased learns nothing of it here
        log.warning("web.form_refused", form=form.key, error=type(result.error).__name__)
        return again("unusable", 422)
    if result.error is None and not result.duplicate and not by_machine:
        here.captures.note(form.key, place.name, place.placement, "captures", now)
    waits = form.double_opt_in and given.get("consent") == "yes"
    thanks = here.links.thanks(form.key, language, "check_mail" if waits else "filled")
    return RedirectResponse(form.goes_to or thanks, 303, HEADERS)


@routes.get("/f/{key}/{token}")
async def thank(key: str, token: str, here: Here) -> Response:
    """The page after a form: thanks, and what was promised."""
    thanked, form = here.links.thanked(token), _form(here, key)
    if thanked.form != form.key:
        raise NotFound("there is nothing at this address")
    text = in_language(form.thanks, thanked.language) if thanked.part == "filled" else ""
    return page(
        "thanks",
        thanked.language,
        headers=_policy(here, form),
        part=thanked.part,
        text=text,
        delivers=form.delivers,
    )


@dataclass(frozen=True)
class Filling:
    """A form that was filled in without a fault: whose answers, where, and whether by a machine."""

    form: Form
    lead: dict[str, Any]
    given: dict[str, str]
    language: str
    place: Place
    ip: str
    cookie: str
    by_machine: bool

    def as_internal(self, nonce: str) -> Internal:
        """What it tells of the lead; by a machine nothing but that it was here."""
        form = self.form
        answers = {one.name: self.given[one.name][:LONGEST_ANSWER] for one in form.fields if self.given.get(one.name)}
        about = {"form": form.key, "page": self.place.name, "offer": form.offer, "answers": answers}
        base: dict[str, Any] = {
            "id": stable_id("form", form.key, nonce),
            "name": form.event,
            "properties": {name: value for name, value in about.items() if value},
            "source": f"form {form.key}"[:100],
            "machine": self.by_machine,
        }
        if self.by_machine:
            return Internal(lead={name: self.lead[name] for name in ("email", "phone") if name in self.lead}, **base)
        lead = {**self.lead, **({"language": self.language} if form.languages else {})}
        if fullmatch(COOKIE, self.cookie):
            lead["cookie"] = self.cookie
        proof = self._proof()
        return Internal(
            lead=lead,
            consents={form.topic: Consent(granted=True, text=proof.text)} if proof and proof.confirmed else {},
            context=Context(page=Page(url=self.place.url, referrer=self.place.referrer), offer=form.offer),
            captured=Captured(stage=form.stage, proof=proof),
            **base,
        )

    def _proof(self) -> Proof | None:
        form = self.form
        if not form.consent or self.given.get("consent") != "yes":
            return None
        text = in_language(form.consent, self.language)
        return Proof(
            form=form.key,
            version=form.version,
            topic=form.topic,
            text=text,
            text_hash=sha256(text.encode()).hexdigest(),
            language=self.language,
            email=str(self.lead.get("email", "")),
            ip=self.ip,
            confirmed=not form.double_opt_in,
        )


def _form(here: State, key: str) -> Form:
    form = here.catalogue.forms.get(key)
    if form is None:
        raise NotFound("there is nothing at this address")
    return form


def _language(request: Request, form: Form, said: str = "") -> str:
    """The language the form speaks: the one asked for, else the visitor's, else its first."""
    known = form.languages or tuple(WORDS)
    wanted = (said or request.query_params.get("language", ""), language_of(request))
    return next((one for one in wanted if one in known), known[0])


def _place(here: State, form: Form, url: str, referrer: str, name: str) -> Place:
    """Where the form stands; in a frame that is the page around it."""
    url, referrer = url[:LONGEST_URL], referrer[:LONGEST_URL]
    framed = origin_of(referrer) in here.settings.sites
    around = read_url(referrer) if framed else None
    found = arrived(Page(url=url, referrer=referrer), {host_of(site) for site in here.settings.sites})
    placement = "" if found is None else found.placement or found.channel
    shown = clean(name) or (path_of(around) if around is not None else f"/f/{form.key}")
    return Place(url, referrer, shown, placement)


def _shown(here: State, form: Form, token: str, now: datetime) -> Shown | None:
    """The page that is sent back; None when it is none of ours, of another form, or too old."""
    try:
        shown = here.links.filled(token)
    except NotFound:
        return None
    return shown if shown.form == form.key and now - shown.at < GOOD_FOR else None


def _named(lead: dict[str, Any]) -> str:
    """Whom the answers name: so that nobody's address can be typed in again and again."""
    return str(lead.get("email") or lead.get("phone") or "").strip().lower()


def _page(here: State, form: Form, language: str, place: Place, again: Again = FIRST_TIME) -> Response:
    say, typed, now = WORDS.get(language, WORDS["en"]), again.typed, clock()

    def told(text: Text) -> str:
        return in_language(text, language)

    at = now if again is FIRST_TIME else now - SOONEST  # who corrects a word or presses once more may be quick
    hidden = {"token": here.links.shown(form.key, at, new_id()), "language": language, "page": place.url,
              "referrer": place.referrer, "place": place.name}  # fmt: skip
    return page(
        "form",
        language,
        status=again.status,
        headers={**_policy(here, form), **({"Retry-After": "60"} if again.status == 429 else {})},
        title=told(form.title),
        promise=form.promised(language, now.date()),
        notice=say[again.notice] if again.notice else "",
        action=f"/f/{form.key}?{urlencode({'language': language})}",
        fields=[_asked(one, told, say, again) for one in form.fields],
        consent=told(form.consent),
        ticked=typed.get("consent") == "yes",
        hidden={**hidden, **({"visitor": typed["visitor"]} if typed.get("visitor") else {})},
        button=told(form.button) or say["send"],
    )


def _asked(one: FormField, told: Callable[[Text], str], say: dict[str, str], again: Again) -> Asked:
    wrong = again.faults
    label = told(one.label) or say.get(f"ask.{one.name}") or one.path[-1].replace("_", " ").capitalize()
    described = [f"{one.name}-hint"] * bool(one.hint) + [f"{one.name}-fault"] * (one.name in wrong)
    attributes = Markup("").join(
        [
            Markup(" required") * one.required,
            Markup(' autocomplete="{}"').format(one.filled_in_by) if one.filled_in_by else "",
            Markup(' inputmode="numeric"') * (one.number and not one.choices),
            Markup(' aria-invalid="true"') * (one.name in wrong),
            Markup(' aria-describedby="{}"').format(" ".join(described)) if described else "",
            Markup(" autofocus") * (one.name == next(iter(wrong), "")),
        ]
    )
    return Asked(
        name=one.name,
        label=label,
        hint=told(one.hint),
        kind=one.kind,
        required=one.required,
        value=again.typed.get(one.name, "")[:LONGEST_ANSWER],
        fault=say[wrong[one.name]] if one.name in wrong else "",
        choices=tuple((str(choice.value), told(choice.label)) for choice in one.choices),
        attributes=attributes,
    )


def _policy(here: State, form: Form) -> dict[str, str]:
    """Own sites may show the form in a frame, and it may lead to them and to its own page of thanks."""
    sites = " ".join(here.settings.sites)
    to = " ".join(dict.fromkeys(["'self'", *here.settings.sites, *filter(None, [origin_of(form.goes_to)])]))
    return {"Content-Security-Policy": policy(to, sites or "'none'")}
