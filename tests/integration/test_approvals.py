"""Messages that go only in words that somebody approved."""

import shutil
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from activities.errands import TryAgain
from nurture import Campaign, Mailing, State, days, on, send, wait
from nurture.checkup import examine
from nurture.doctor import Word
from nurture.store import Store
from nurture.store.approvals import AWAITS, approve, latest
from nurture.store.story import story_of
from nurture.templates import Templates
from tests.integration.bulk import NEWS, a_lead, ordered, settle
from tests.integration.commands import run
from tests.integration.life import Life
from tests.integration.walking import AFTER_THE_LEASE, TEMPLATES, Walker, Way

ASKING = Campaign(
    "careful", enters=[on("asked")], states=[State("one", [send("test/one"), wait(days(3))])], approval=True
)


@pytest.fixture
async def walker(way: Way, tmp_path: Path) -> Walker:
    """A lead in a campaign that asks for approval; the templates are there to be changed."""
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    way.settings = way.settings.model_copy(update={"templates": tmp_path / "templates"})
    return await way.begin(ASKING)


async def approved(walker: Walker) -> bool:
    """Somebody agrees to the message as it is."""
    way = walker.way
    async with way.store.write() as session:
        return await approve(session, "test/one", way.equipment.templates.fingerprint("test/one"), "ann", way.now)


def changed(walker: Walker, file: str) -> None:
    path = walker.way.settings.templates / file
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")


async def held(walker: Walker, attempt: int, why: str) -> None:
    with pytest.raises(TryAgain, match=why):
        await walker.walk(attempt * AFTER_THE_LEASE)
    assert walker.way.post.taken == []
    assert [(await walker.message()).status, (await walker.message()).reason] == ["deferred", why]


async def test_a_message_that_nobody_approved_is_held_and_goes_once_somebody_does(walker: Walker) -> None:
    await held(walker, 0, f"{AWAITS}: template test/one was never approved")

    assert await approved(walker)
    assert await walker.walk(AFTER_THE_LEASE) == ["did", "parked"]
    assert len(walker.way.post.taken) == 1


@pytest.mark.parametrize("file", ["test/one.en.j2", "layouts/message.j2"])
async def test_a_message_changed_since_its_approval_is_held_until_it_is_approved_again(
    walker: Walker, file: str
) -> None:
    await approved(walker)
    changed(walker, file)
    await held(walker, 0, f"{AWAITS}: template test/one was changed since it was approved")

    assert await approved(walker)
    assert not await approved(walker)
    assert await walker.walk(AFTER_THE_LEASE) == ["did", "parked"]


async def test_a_message_changed_back_is_approved_still(walker: Walker) -> None:
    await approved(walker)
    file = walker.way.settings.templates / "test/one.en.j2"
    before = file.read_text("utf-8")
    changed(walker, "test/one.en.j2")
    await held(walker, 0, f"{AWAITS}: template test/one was changed since it was approved")
    file.write_text(before, "utf-8")

    assert await walker.walk(AFTER_THE_LEASE) == ["did", "parked"]


async def test_what_is_held_is_told_by_the_leads_story_and_by_the_doctor(walker: Walker) -> None:
    await held(walker, 0, f"{AWAITS}: template test/one was never approved")
    way = walker.way

    async with way.store.read() as session:
        [journey] = (await story_of(session, walker.order.lead_id, way.now)).journeys
    [found] = (await examine(way.store, None, way.now, fix=False)).all

    assert journey.standing.because == f"{AWAITS}: template test/one was never approved"
    assert (found.word, found.count, found.examples) == (Word.UNAPPROVED, 1, ["test/one"])


async def test_a_campaign_that_does_not_ask_sends_what_there_is(way: Way) -> None:
    walker = await way.begin(Campaign("plain", enters=ASKING.enters, states=ASKING.states))

    assert await walker.walk() == ["did", "parked"]
    async with way.store.read() as session:
        assert await latest(session) == {}


@pytest.mark.usefixtures("repository")
def test_messages_are_approved_and_listed_at_the_terminal() -> None:
    file = Path("campaigns/welcome.py")
    file.write_text(file.read_text("utf-8").replace("Campaign(\n", "Campaign(\n    approval=True,\n", 1), "utf-8")
    before = run("approvals").output
    said = run("approve", "welcome/hello", "--by", "Ann Lee")
    again = run("approve", "welcome/hello", "--by", "Bo")
    Path("templates/layouts/words.j2").write_text(Path("templates/layouts/words.j2").read_text("utf-8") + " ", "utf-8")

    assert "no: never" in before
    assert said.output.startswith("welcome/hello (")
    assert said.output.endswith("in en) is approved\n")
    assert "is already approved" in again.output
    assert "no: changed since  Ann Lee" in run("approvals").output
    assert 'did you mean "welcome/hello"?' in run("approve", "welcome/helo").output


@pytest.mark.usefixtures("repository")
def test_a_message_with_faults_is_not_approved() -> None:
    Path("templates/welcome/hello.ru.j2").write_text("{% if %}", "utf-8")

    assert "hello.ru.j2:1: Expected an expression" in run("approve", "welcome/hello").output


def test_a_mailing_asks_as_a_campaign_does() -> None:
    assert Mailing(key="may", template="test/one", audience="all", approval=True).campaign.approval


async def test_a_mailing_that_nobody_approved_reaches_nobody_and_after_the_approval_everybody_once(
    store: Store, now: datetime
) -> None:
    careful = NEWS.model_copy(update={"approval": True})
    async with Life(store, now) as life:
        await settle(store, [a_lead(n, now) for n in range(12)], now)
        await ordered(store, now, "mailing", mailing=careful)
        await life.passes(hours=1)
        assert life.postbox.mails == []
        templates = Templates([life.settings.templates])
        async with store.write() as session:
            await approve(session, careful.template, templates.fingerprint(careful.template), "ann", life.now)
        await life.passes(hours=1)

    assert Counter(mail.recipient for mail in life.postbox.mails) == {f"lead-{n}@example.com": 1 for n in range(12)}
