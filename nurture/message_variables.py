"""The variables a message is given: the one list that templates are checked against and that senders fill."""

from collections.abc import Mapping
from typing import Any

from nurture.fields import BANT, FIELDS, OPEN_GROUPS
from nurture.steps import AskReferral, Confirm, Message, Send, Survey

COMPANY = ("name", "size", "turnover", "industry", "country", "city", "decision_makers")

ALWAYS = frozenset(
    {
        *(f"lead.{name}" for name in (*FIELDS, "stage", "tags")),
        *(f"lead.company.{name}" for name in COMPANY),
        *(f"lead.bant.{name}" for name in BANT),
        *(f"lead.{group}" for group in OPEN_GROUPS),
        "campaign.key",
        "campaign.title",
        "links.unsubscribe",
        "links.telegram",
        "links.preferences",
        "sender.name",
        "sender.postal_address",
        "link",
    }
)
"""For every message to a lead; `link(url)` makes a tracked link, `lead.custom` and `lead.dates` hold fields of your own."""


def provided(step: Message) -> frozenset[str]:
    """The names that the message of that step is given."""
    match step:
        case AskReferral():
            return ALWAYS | {"links.share", "referral.code"}
        case Survey():
            return ALWAYS | {"links.survey"}
        case Confirm():
            return ALWAYS | {"links.confirm"}
        case Send(document=document) if document:
            return ALWAYS | {"links.document", "document"}
        case _:
            return ALWAYS


EVERY = ALWAYS | {"links.share", "referral.code", "links.survey", "links.confirm", "links.document", "document"}
"""For any message at all."""

TEAM = frozenset(
    {
        "campaign.key", "campaign.title", "links.unsubscribe", "sender.name", "sender.postal_address", "link",
        "lead_id", "journey_id", "team", "text", "title", "due", "hand_off",
        "who", "why", "scores", "points", "did", "received", "bant", "company", "pages", "asked", "links.answer", "deed",
        "person", "to_lead", "answer_by", "reason", "paused", "run",
    }
)  # fmt: skip
"""For the notices to a team: of a `notify`, a `task`, a fuse, and the dossier of a hand-off."""

DOCUMENT = frozenset(
    {*(name for name in ALWAYS if name.startswith("lead.")), "document", "sender.name", "sender.postal_address"}
)
"""For documents; `document` has number, title, date, valid_until, currency, lines, net, taxes, total and data."""


def usual(key: str) -> frozenset[str]:
    """What a template may be given, by the folder that it is in."""
    return {"team": TEAM, "documents": DOCUMENT}.get(key.partition("/")[0], EVERY)


def lead_variables(profile: Mapping[str, Any], stage: str) -> dict[str, Any]:
    """`lead` as a template sees it: what is not known of a lead is empty, never an error."""
    known: dict[str, Any] = {name: profile.get(name) for name in FIELDS}
    groups = {"company": dict.fromkeys(COMPANY), "bant": dict.fromkeys(BANT)}
    for group, names in groups.items():
        known[group] = {**names, **(profile.get(group) or {})}
    own = {group: _Own(profile.get(group) or {}) for group in OPEN_GROUPS}
    return {**known, **own, "stage": stage, "tags": list(profile.get("tags") or ())}


class _Own(dict[str, Any]):
    """Fields of a lead's own: one it does not have is empty."""

    def __missing__(self, name: str) -> None:
        return None
