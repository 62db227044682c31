"""What a lead refuses by a link of ours: noted at once, even when nothing else can be taken in."""

from collections.abc import Collection, Mapping

from nurture.errors import Unavailable
from nurture.intake import Consent, Internal
from nurture.store.consents import record_consent
from nurture.store.leads import find, locked
from nurture.store.models import MessageRow
from web.state import State, clock


async def refuse(here: State, lead_id: str, message_id: str, words: Mapping[str, str], source: str) -> None:
    """Note the refusal of those topics, each with the words it was given to; from the commit on it holds.

    Who was erased takes no mail anyway.
    """
    async with here.store.read() as session:
        message = await session.get(MessageRow, message_id) if message_id else None
        if await find(session, lead_id) is None:
            return
    about = about_message(message) if message is not None else {}
    consents: dict[str, bool | Consent] = {topic: Consent(granted=False, text=text) for topic, text in words.items()}
    said = Internal(name="unsubscribed", lead={"id": lead_id}, properties=about, source=source, consents=consents)
    try:
        await here.intake.accept([said], clock())
    except Unavailable:
        await _record(here, lead_id, words, source)


async def _record(here: State, lead_id: str, topics: Collection[str], source: str) -> None:
    async with here.store.write() as session:
        lead = await locked(session, lead_id)
        for topic in topics:
            await record_consent(session, lead.id, topic, False, source, clock(), address=lead.email)


def about_message(message: MessageRow) -> dict[str, str]:
    """What an event tells of the message that it followed on."""
    return {"template": message.template, "campaign": message.campaign, "message": message.id}
