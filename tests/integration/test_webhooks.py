"""Webhooks that we send, to a real server: signed, sent again by the same id, refused with a reason; D-29, M-89."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import select
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from activities.errands import TryAgain
from activities.webhooks import Webhooks
from nurture import Campaign, Hook, State, call, days, escalate, on, wait
from nurture.catalogue import Catalogue
from nurture.channels.heard.names import HEARERS
from nurture.channels.reports.names import REPORTERS
from nurture.definitions import Definition
from nurture.errors import BadSettings
from nurture.lead import lead
from nurture.network import Network, reach
from nurture.settings import Settings
from nurture.store.models import RequestRow
from tests.integration import hook as answers
from tests.integration.hook import Hook as Other
from tests.integration.hook import Post
from tests.integration.walking import AFTER_THE_LEASE, Walker, Way
from workflows.ports import Attended

OLD, NEW = (f"whsec_{base64.b64encode(name * 8).decode()}" for name in (b"old!", b"new!"))
CALLING = Campaign("calling", enters=[on("asked")], states=[State("Grüße", [call("shop", plan="pro"), wait(days(1))])])
ESCALATING = Campaign("sales", enters=[on("asked")], states=[State("one", [escalate("ready"), wait(days(1))])])


@pytest.fixture
async def other() -> AsyncIterator[Other]:
    async with Other().open() as opened:
        yield opened


@pytest.fixture
async def calling(way: Way, other: Other) -> AsyncIterator[Way]:
    """A way whose hook `shop`, and whose sales, are the other system."""
    way.catalogue = Catalogue(
        hooks={"shop": Hook(key="shop", url=other.url("/hook?token=canary-token"))},
        definitions={"ready": Definition(key="ready", ready=lead.email.known())},
    )
    way.settings = way.settings.model_copy(
        update={"hook_secrets": {"shop": SecretStr(f"{NEW} {OLD}")}, "sales_webhook": other.url("/sales")}
    )
    yield way
    await way.equipment.webhooks.close()


async def noted(way: Way) -> list[tuple[str, str]]:
    async with way.store.read() as session:
        rows = (await session.exec(select(RequestRow))).all()
    return [(row.status, str(row.body.get("note", ""))) for row in rows]


def signature(post: Post, secret: str) -> str:
    """As the receiver makes it from what came, by the time that stands there."""
    at = datetime.fromtimestamp(int(post.headers["webhook-timestamp"]), UTC)
    return Webhook(secret).sign(post.headers["webhook-id"], at, post.body)


def verified(post: Post, secret: str) -> Any:
    """The body, of which the signature is right."""
    assert post.headers["webhook-signature"] == signature(post, secret)
    return json.loads(post.body)


async def tried(walker: Walker, reason: str) -> None:
    with pytest.raises(TryAgain, match=reason):
        await walker.walk()


async def test_a_call_is_signed_by_the_first_secret_and_says_what_the_campaign_says(calling: Way, other: Other) -> None:
    walker = await calling.begin(CALLING, first_name="Canaryfirst")

    assert await walker.walk() == ["did", "parked"]
    [post] = other.took
    assert verified(post, NEW)["data"] == {
        "lead_id": walker.order.lead_id, "journey_id": walker.order.journey_id, "campaign": "calling", "plan": "pro"
    }  # fmt: skip
    assert post.headers["webhook-signature"] != signature(post, OLD)
    assert await noted(calling) == [("done", "")]


@pytest.mark.parametrize("status", [answers.BROKEN, "429 Too Many Requests", "408 Request Timeout"])
async def test_trouble_that_passes_is_tried_again_by_the_same_id(calling: Way, other: Other, status: str) -> None:
    other.answers = [status, status]
    walker = await calling.begin(CALLING)
    for _ in range(2):
        await tried(walker, f"the webhook shop answers {status[:3]}")

    assert await walker.walk(AFTER_THE_LEASE) == ["did", "parked"]
    assert len(other.took) == 3
    assert len({(post.headers["webhook-id"], post.body) for post in other.took}) == 1
    assert await noted(calling) == [("done", "")]


async def test_an_answer_that_does_not_come_is_not_waited_for_long(other: Other, now: datetime) -> None:
    hooks = Webhooks({}, Network(reach(Settings(_env_file=None))), patience=timedelta(milliseconds=200))
    other.answers = [""]
    with pytest.raises(TryAgain, match="the webhook shop cannot be reached: TimeoutError"):
        await hooks.post("shop", other.url(), "one", {}, now)

    assert await hooks.post("shop", other.url(), "one", {}, now) == ""
    assert [post.headers["webhook-id"] for post in other.took] == ["one", "one"]
    await hooks.close()


async def test_what_another_attempt_got_taken_is_not_sent_again(calling: Way, other: Other) -> None:
    walker = await calling.begin(CALLING)
    await walker.walk()

    assert await walker.walk(AFTER_THE_LEASE) == ["did", "parked"]
    assert len(other.took) == 1


async def test_a_refusal_closes_the_step_with_its_reason(calling: Way, other: Other) -> None:
    other.answers = [answers.REFUSED]
    walker = await calling.begin(CALLING)

    assert await walker.walk() == ["did", "parked"]
    assert (await walker.moves())[0].reply["note"] == "the webhook shop refuses with 410"
    assert await noted(calling) == [("refused", "the webhook shop refuses with 410")]


async def test_a_redirect_is_not_followed(calling: Way, other: Other) -> None:
    other.answers = [f"302 Found\nLocation: {other.url('/elsewhere')}\r\n"]
    await (await calling.begin(CALLING)).walk()

    assert [post.path.partition("?")[0] for post in other.took] == ["/hook"]
    assert await noted(calling) == [("refused", "the webhook shop refuses with 302")]


async def test_sales_are_called_once_with_the_dossier_though_the_first_attempt_fails(
    calling: Way, other: Other
) -> None:
    calling.settings = calling.settings.model_copy(update={"hook_secrets": {"sales": SecretStr(NEW)}})
    other.answers = [answers.BROKEN]
    walker = await calling.begin(ESCALATING, first_name="Ann")
    await walker.walk()
    again = (await walker.attend()).until
    assert again is not None

    assert await walker.attend(again - walker.order.now) == Attended(ending="nothing more is due")
    first, second = other.took
    told = verified(second, NEW)
    assert (told["type"], told["data"]["who"]["first_name"]) == ("hand_off.created", "Ann")
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert len(calling.post.taken) == 1


@pytest.mark.parametrize("answer", [answers.BROKEN, answers.REFUSED, "302 Found\nLocation: http://canary-host/\r\n"])
async def test_no_error_and_no_log_holds_a_secret_or_a_person(calling: Way, other: Other, answer: str) -> None:
    other.answers = [answer]
    walker = await calling.begin(ESCALATING, first_name="Canaryfirst", email="canary@nowhere.example")
    calling.settings = calling.settings.model_copy(update={"hook_secrets": {"sales": SecretStr(NEW)}})
    await walker.walk()
    with capture_logs() as logs:
        await walker.attend()
    said = [json.dumps(logs), *(note for _, note in await noted(calling))]

    assert any("webhook sales" in one for one in said)
    leaked = [
        one for one in ["Canaryfirst", "canary@nowhere.example", NEW, NEW[6:], "canary-host"] if one in " ".join(said)
    ]
    assert leaked == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://127.0.0.1/", "hook", "http://", "http://[::1"])
async def test_an_address_that_is_none_closes_the_step_and_says_so(calling: Way, other: Other, url: str) -> None:
    calling.catalogue = Catalogue(hooks={"shop": Hook(key="shop", url=url)})
    await (await calling.begin(CALLING)).walk()

    assert await noted(calling) == [
        ("refused", "the webhook shop is not called: its address is no http:// or https:// one")
    ]


def test_a_secret_that_is_none_is_named_when_the_worker_begins() -> None:
    with pytest.raises(BadSettings, match="NURTURE_HOOK_SECRETS__SHOP: no secret of webhooks") as caught:
        Webhooks({"shop": SecretStr("whsec_canäry")}, Network(reach(Settings(_env_file=None))))
    assert "canäry" not in str(caught.value)


@pytest.mark.parametrize("provider", [*REPORTERS, *HEARERS])
def test_the_secret_of_a_provider_that_calls_us_is_of_its_own_kind(calling: Way, provider: str) -> None:
    calling.settings = calling.settings.model_copy(update={"hook_secrets": {provider: SecretStr("hook:password")}})

    assert calling.equipment.webhooks is not None
