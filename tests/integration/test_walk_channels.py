"""Messages by other channels than e-mail: the same ledger and permission, and never two messages for one step."""

from datetime import timedelta
from typing import Any

import pytest

from activities.errands import TryAgain
from nurture import Campaign, State, days, on, prefer, send, wait
from nurture.addresses import hash_of
from nurture.errors import AddressRefused, Ambiguous, ProviderUnavailable
from nurture.permission import ChannelRules, HouseRules
from nurture.store.consents import record_consent
from nurture.store.models import IdentityRow, LeadRow
from nurture.store.story import story_of
from nurture.store.suppressions import suppress, suppressed
from tests.integration.walking import AFTER_THE_LEASE, Killed, Post, Walker, Way, kill

PHONE, CHAT = "+4930123456", "7700123"
OPEN = HouseRules(quiet=None, caps=(), channels={"sms": ChannelRules(), "telegram": ChannelRules()})
BLOCKED = AddressRefused("the chat is closed", code="403")


@pytest.fixture
def way(way: Way) -> Way:
    way.settings = way.settings.model_copy(update={"rules": OPEN})
    way.others = {"sms": Post("sms"), "telegram": Post("telegram")}
    return way


def campaign(channel: Any = "sms", number: int = 1, **options: Any) -> Campaign:
    steps = [send("test/one", channel=channel, **options) for _ in range(number)]
    return Campaign("plain", enters=[on("asked")], states=[State("one", [*steps, wait(days(3))])])


async def begin(way: Way, road: Campaign, *, chat: str | None = CHAT, **profile: Any) -> Walker:
    """A lead with a phone and a chat, that said yes to both."""
    walker = await way.begin(road, **{"phone": PHONE, **profile})
    async with way.store.write() as session:
        if chat:
            session.add(IdentityRow(kind="messenger.telegram", value=chat, lead_id=walker.order.lead_id))
            session.add(IdentityRow(kind="messenger.telegram", value="ann_of_example", lead_id=walker.order.lead_id))
        for channel in ("sms", "telegram"):
            await record_consent(session, walker.order.lead_id, f"channel:{channel}", True, "test", way.now)
    return walker


async def rest(walker: Walker) -> list[str]:
    """Attempt after attempt until nothing is left to do now; the kinds of the replies."""
    for attempt in range(1, 20):
        try:
            replies = await walker.walk(attempt * AFTER_THE_LEASE)
        except (Killed, TryAgain):
            continue
        if replies[-1] in ("parked", "deferred"):
            return replies
    raise AssertionError("the walk never comes to an end")


def went(way: Way) -> dict[str, list[str]]:
    """What each channel took, by whom it was for."""
    return {name: [one.recipient for one in post.taken] for name, post in {"email": way.post, **way.others}.items()}


async def stopped(way: Way, walker: Walker, channel: str) -> None:
    async with way.store.write() as session:
        later = way.now + timedelta(seconds=1)
        await record_consent(session, walker.order.lead_id, f"channel:{channel}", False, "test", later)


# --- one channel ---


async def test_an_sms_goes_to_the_phone_and_through_the_ledger(way: Way) -> None:
    walker = await begin(way, campaign("sms"))

    assert await rest(walker) == ["did", "parked"]
    message = await walker.message()
    assert went(way) == {"email": [], "sms": [PHONE], "telegram": []}
    assert (message.channel, message.status, message.provider_id) == ("sms", "accepted", "theirs")


async def test_a_chat_is_reached_by_its_number_not_by_its_owners_name(way: Way) -> None:
    await rest(await begin(way, campaign("telegram")))

    assert went(way)["telegram"] == [CHAT]


@pytest.mark.parametrize("channel", ["sms", "telegram"])
async def test_without_an_address_the_step_closes_with_a_reason(way: Way, channel: str) -> None:  # D-28, M-70
    walker = await begin(way, campaign(channel), chat=None, phone=None)

    assert await rest(walker) == ["did", "parked"]
    assert ((await walker.message()).status, (await walker.message()).reason) == ("suppressed", "no address")


async def test_only_the_channel_that_was_stopped_stops(way: Way) -> None:  # N-13
    road = Campaign("plain", enters=[on("asked")], states=[
        State("one", [send("test/one", channel="sms"), send("test/two"), wait(days(3))]),
    ])  # fmt: skip
    walker = await begin(way, road)
    await stopped(way, walker, "sms")
    await rest(walker)

    assert [(one.channel, one.reason) for one in await walker.messages()] == [("sms", "stopped sms"), ("email", "")]


async def test_what_the_lead_asked_for_goes_by_a_stopped_channel_all_the_same(way: Way) -> None:  # N-13
    walker = await begin(way, campaign("sms", legal_basis="the lead asked for it"))
    await stopped(way, walker, "sms")
    await rest(walker)

    assert went(way)["sms"] == [PHONE]


async def test_a_number_that_is_refused_takes_no_sms_any_more_and_the_address_still_takes_mail(way: Way) -> None:
    walker, way.others["sms"].troubles = await begin(way, campaign("sms", 2)), [AddressRefused("no", code="21610")]
    await rest(walker)

    first, second = await walker.messages()
    assert (first.status, second.reason) == ("rejected", "the address is suppressed: the address was refused: 21610")
    async with way.store.read() as session:
        assert await suppressed(session, hash_of("whatsapp", PHONE)) == {}


async def test_a_number_whose_owner_said_stop_gets_no_marketing_whoever_has_it(way: Way) -> None:
    async with way.store.write() as session:
        await suppress(session, hash_of("sms", PHONE), "marketing", "its owner said stop", way.now)
    walker = await begin(way, campaign("sms"))
    await rest(walker)

    assert ((await walker.message()).reason, went(way)["sms"]) == ("its owner said stop", [])


async def test_why_tells_the_channel_that_carried_a_message(way: Way) -> None:
    walker = await begin(way, campaign(prefer("sms", "email")))
    await rest(walker)

    async with way.store.read() as session:
        (journey,) = (await story_of(session, walker.order.lead_id, way.now)).journeys
    assert (journey.lines[0].what, journey.lines[0].how) == ("send test/one by sms, else email", "by sms in en")


async def test_a_message_carries_the_leads_own_link_to_the_bot(way: Way) -> None:
    way.settings = way.settings.model_copy(update={"telegram_bot": "our_bot"})
    road = Campaign("plain", enters=[on("asked")], states=[State("one", [send("test/chat"), wait(days(3))])])
    walker = await begin(way, road)
    await rest(walker)

    (mail,) = way.post.taken
    bot, _, token = mail.text.partition("?start=")
    assert bot == "https://t.me/our_bot"
    assert way.equipment.links.chatting(token.split()[0], way.now + days(29)) == walker.order.lead_id


async def test_without_a_bot_there_is_no_link_to_it(way: Way) -> None:
    road = Campaign("plain", enters=[on("asked")], states=[State("one", [send("test/chat"), wait(days(3))])])
    await rest(await begin(way, road))

    assert way.post.taken[0].text.startswith("no bot")


async def test_a_number_that_changes_at_the_last_moment_is_the_one_that_is_written_to(way: Way) -> None:
    walker = await begin(way, campaign("sms"))

    async def moves() -> None:
        async with way.store.write() as session:
            row = await session.get_one(LeadRow, walker.order.lead_id)
            row.profile = {**row.profile, "phone": "+4930999999"}
            session.add(row)

    way.store.deeds["after commit 1"] = moves
    await rest(walker)

    assert went(way)["sms"] == ["+4930999999"]


async def test_only_the_first_sms_to_a_lead_says_how_to_get_no_more(way: Way) -> None:  # P-13
    walker = await begin(way, campaign("sms", 2))
    await rest(walker)

    ends = [one.text.endswith("\nReply STOP to get no more.") for one in way.others["sms"].taken]
    assert ends == [True, False]


async def test_where_nobody_can_reply_the_way_out_is_a_link(way: Way) -> None:
    way.settings = way.settings.model_copy(update={"sms_opt_out": {"en": "No more: {unsubscribe}"}})
    await rest(await begin(way, campaign("sms")))

    (sent,) = way.others["sms"].taken
    assert "\nNo more: http://127.0.0.1:8000/u/" in sent.text


async def test_a_message_in_doubt_outlives_the_settings_of_its_channel(way: Way) -> None:
    walker = await begin(way, campaign("sms"))
    way.others["sms"].deeds = {"after it is taken": kill}
    with pytest.raises(Killed):
        await walker.walk()
    post = way.equipment.channels["sms"]
    way.equipment.channels.pop("sms")  # type: ignore[attr-defined]  # a dict here

    with pytest.raises(TryAgain, match="the channel is not set up here"):
        await walker.walk(AFTER_THE_LEASE)
    way.equipment.channels["sms"] = post  # type: ignore[index]  # a dict here
    await walker.walk(2 * AFTER_THE_LEASE)

    assert ((await walker.message()).status, went(way)["sms"]) == ("accepted", [PHONE])


async def test_the_first_sms_says_so_when_it_is_sent_again_too(way: Way) -> None:
    walker = await begin(way, campaign("sms", on_unknown="resend"))
    way.others["sms"].can_tell, way.others["sms"].deeds = False, {"after it is taken": kill}
    with pytest.raises(Killed):
        await walker.walk()
    await walker.walk(AFTER_THE_LEASE)

    assert ["STOP" in one.text for one in way.others["sms"].taken] == [True, True]


async def test_a_channel_that_is_not_set_up_is_waited_for(way: Way) -> None:
    del way.others["sms"]
    walker = await begin(way, campaign("sms"))

    assert await walker.walk() == ["deferred"]
    assert (await walker.message()).reason == "the channel is not set up here: see docs/how-to/channels.md"


async def test_quiet_hours_and_caps_of_a_channel_hold_beside_those_of_the_house(way: Way) -> None:
    way.settings = way.settings.model_copy(update={"rules": HouseRules(quiet=None, caps=())})
    walker = await begin(way, campaign("sms", 3))

    assert await rest(walker) == ["did", "did", "deferred"]
    assert (await walker.messages())[-1].reason == "the cap of 2 in 7 days by sms is reached"


# --- one of several ---

EITHER = prefer("telegram", "sms", "email")


async def test_the_first_channel_that_reaches_the_lead_takes_the_message(way: Way) -> None:
    walker = await begin(way, campaign(EITHER))
    await rest(walker)

    assert went(way) == {"email": [], "sms": [], "telegram": [CHAT]}


async def test_what_the_lead_prefers_comes_first(way: Way) -> None:
    walker = await begin(way, campaign(EITHER), preferred_channel="sms")
    await rest(walker)

    assert went(way) == {"email": [], "sms": [PHONE], "telegram": []}


async def test_who_has_no_chat_and_stopped_sms_gets_it_by_mail(way: Way) -> None:
    walker = await begin(way, campaign(EITHER), chat=None)
    await stopped(way, walker, "sms")
    await rest(walker)

    assert [len(taken) for taken in went(way).values()] == [1, 0, 0]
    assert (await walker.message()).channel == "email"


async def test_a_chat_that_refuses_gives_way_to_the_next_channel_under_the_same_key(way: Way) -> None:
    walker, way.others["telegram"].troubles = await begin(way, campaign(EITHER)), [BLOCKED]

    assert await rest(walker) == ["did", "parked"]
    message = await walker.message()
    assert (message.channel, message.status, went(way)["sms"]) == ("sms", "accepted", [PHONE])
    async with way.store.read() as session:
        assert await suppressed(session, hash_of("telegram", CHAT)) == {"all": "the address was refused: 403"}


async def test_a_channel_stopped_at_the_last_moment_gives_way(way: Way) -> None:
    walker = await begin(way, campaign(EITHER))

    async def stops() -> None:
        await stopped(way, walker, "telegram")

    way.store.deeds["after commit 1"] = stops
    await rest(walker)

    assert went(way) == {"email": [], "sms": [PHONE], "telegram": []}


async def test_what_may_have_arrived_in_one_channel_never_goes_by_another(way: Way) -> None:
    walker = await begin(way, campaign(EITHER, on_unknown="resend"))
    way.others["telegram"].can_tell = False
    way.others["telegram"].troubles = [Ambiguous("the line broke"), ProviderUnavailable("busy"), BLOCKED]

    await rest(walker)

    message = await walker.message()
    assert (message.channel, message.status) == ("telegram", "rejected")
    assert went(way) == {"email": [], "sms": [], "telegram": []}


async def test_a_hand_over_in_doubt_is_asked_after_where_it_was_made(way: Way) -> None:
    walker = await begin(way, campaign(EITHER))
    way.others["telegram"].deeds = {"after it is taken": kill}
    with pytest.raises(Killed):
        await walker.walk()
    async with way.store.write() as session:
        await suppress(session, hash_of("telegram", CHAT), "all", "blocked", way.now)

    await walker.walk(AFTER_THE_LEASE)

    assert ((await walker.message()).status, went(way)["telegram"]) == ("accepted", [CHAT])
    assert [way.post.taken, way.others["sms"].taken] == [[], []]


async def test_trouble_that_passes_keeps_the_channel(way: Way) -> None:
    walker, way.others["telegram"].troubles = await begin(way, campaign(EITHER)), [ProviderUnavailable("busy")]
    with pytest.raises(TryAgain):
        await walker.walk()
    await walker.walk(AFTER_THE_LEASE)

    assert went(way) == {"email": [], "sms": [], "telegram": [CHAT]}


async def test_a_channel_that_is_not_set_up_gives_way(way: Way) -> None:
    del way.others["telegram"]
    await rest(await begin(way, campaign(EITHER)))

    assert went(way) == {"email": [], "sms": [PHONE]}


async def test_where_no_channel_reaches_the_lead_the_step_closes_with_every_reason(way: Way) -> None:
    walker = await begin(way, campaign(EITHER), chat=None, phone=None, email=None)
    await rest(walker)
    assert (await walker.message()).reason == "no address"

    walker = await begin(way, campaign(EITHER), chat=None, email=None)
    await stopped(way, walker, "sms")
    await rest(walker)
    assert (await walker.message()).reason == "telegram: no address; sms: stopped sms; email: no address"
