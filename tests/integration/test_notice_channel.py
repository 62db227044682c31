"""Notices to teams by apprise, against a server that takes what it sends."""

import builtins
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from nurture import Campaign, State, days, escalate, notify, on, wait
from nurture.channels import Envelope
from nurture.channels.notices import NoticeChannel
from nurture.errors import BadSettings, MessageRefused, ProviderUnavailable
from tests.integration.provider import Desk, Reply
from tests.integration.walking import Post, Way

# Some of its plugins use what Python is about to give up.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
TEMPLATES = Path(__file__).parents[2] / "templates"
NOTICE = Envelope(
    key="journey/greet/0/1:sales",
    message_id="<0123456789abcdef@example.org>",
    date=datetime(2026, 11, 24, 12, tzinfo=UTC),
    sender="The team <hello@example.org>",
    recipient="sales",
    subject="A lead is waiting",
    html="<p>Call it</p>",
    text="Call <it> & soon",
    language="en",
)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk(lambda _, __: Reply(200, {})).open() as opened:
        yield opened


def channel(desk: Desk) -> NoticeChannel:
    return NoticeChannel({"sales": SecretStr(f"json://127.0.0.1:{desk.port}/in")})


async def test_a_notice_goes_to_the_service_of_its_team_as_it_was_written(desk: Desk) -> None:
    await channel(desk).send(NOTICE)

    (call,) = desk.calls
    assert (call.path, call.json["title"], call.json["message"]) == ("/in", "A lead is waiting", "Call <it> & soon")


async def test_a_service_that_does_not_take_it_is_tried_again(desk: Desk) -> None:
    desk.instead = [Reply(500, {})]

    with pytest.raises(ProviderUnavailable, match="NURTURE_TEAM_NOTICES"):
        await channel(desk).send(NOTICE)


async def test_a_team_that_is_taken_out_of_the_settings_has_its_notices_closed(desk: Desk) -> None:
    with pytest.raises(MessageRefused, match="the team sales has no address"):
        await NoticeChannel({}).send(NOTICE)


def test_an_address_that_apprise_does_not_know_is_refused_without_being_shown() -> None:
    with pytest.raises(BadSettings, match="does not know the address of sales") as caught:
        NoticeChannel({"sales": SecretStr("nowhere-secret")})

    assert "nowhere-secret" not in str(caught.value)


def test_without_the_extra_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def missing(name: str, *given: Any, **more: Any) -> Any:
        if name == "apprise":
            raise ImportError(name)
        return imported(name, *given, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(BadSettings, match=r'pip install "nurture\[apprise\]"'):
        NoticeChannel({"sales": SecretStr("json://127.0.0.1/in")})


async def test_a_team_with_a_service_is_told_there_and_the_others_by_mail(way: Way) -> None:
    way.settings = way.settings.model_copy(
        update={
            "templates": TEMPLATES,
            "team_notices": {"support": SecretStr("json://127.0.0.1/in")},
            "teams": {"sales": "sales@example.com"},
        }
    )
    way.others = {"apprise": Post("apprise")}
    steps = [notify("look", team="support"), notify("look", team="sales"), escalate("ready"), wait(days(1))]
    walker = await way.begin(Campaign("plain", enters=[on("asked")], states=[State("one", steps)]))
    while (await walker.walk())[-1] != "parked":
        pass
    await walker.attend()

    assert [one.recipient for one in way.others["apprise"].taken] == ["support"]
    assert [one.recipient for one in way.post.taken] == ["sales@example.com"] * 2
    assert {(one.channel, one.status) for one in await walker.messages()} == {
        ("apprise", "accepted"),
        ("email", "accepted"),
    }
