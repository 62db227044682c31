"""E-mail by the API of each provider, against a server that speaks as it documents: one contract for all of them."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from nurture.channels import Attachment, Envelope
from nurture.channels.api import ApiChannel
from nurture.channels.providers.names import PROVIDERS
from nurture.errors import AddressRefused, Ambiguous, BadSettings, MessageRefused, ProviderUnavailable, SendError
from tests.integration import provider
from tests.integration.provider import BAD_ADDRESS, KEY, Call, Desk, Reply

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SPEAK: dict[str, Callable[[Desk, Call], Reply]] = {
    "mailgun": provider.mailgun,
    "postmark": provider.postmark,
    "resend": provider.resend,
    "sendgrid": provider.sendgrid,
    "unisender_go": provider.unisender_go,
}
PDF = bytes(range(256)) * 40
LETTER = Envelope(
    key="journey/greet/0/1",
    message_id="<0123456789abcdef@example.org>",
    date=NOW,
    sender="The team <hello@example.org>",
    recipient="ann@example.org",
    subject="Your price list",
    html="<p>Hello</p>",
    text="Hello",
    language="en",
    headers={"List-Unsubscribe": "<https://example.org/u/1>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
)


@dataclass
class Line:
    """A channel to a provider, and the provider's side of it."""

    desk: Desk
    channel: ApiChannel
    name: str

    async def trouble(self, letter: Envelope = LETTER) -> SendError:
        with pytest.raises(SendError) as caught:
            await self.channel.send(letter)
        return caught.value


@pytest.fixture(params=sorted(PROVIDERS))
async def line(request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    name: str = request.param
    async with Desk(SPEAK[name]).open() as desk:
        channel = ApiChannel(
            PROVIDERS[name](SecretStr(KEY), "mg.example.org"), url=desk.url, timeout=4, clock=lambda: NOW
        )
        yield Line(desk, channel, name)
        await channel.close()


def test_every_provider_has_a_server_to_be_tried_on() -> None:
    assert PROVIDERS.keys() == SPEAK.keys()


async def test_a_message_is_taken_as_it_was_written(line: Line) -> None:
    receipt = await line.channel.send(LETTER)

    (taken,) = line.desk.took
    assert (taken.to, taken.subject, taken.html, taken.text) == (
        "ann@example.org",
        LETTER.subject,
        LETTER.html,
        "Hello",
    )
    assert "hello@example.org" in taken.sender
    assert taken.headers["List-Unsubscribe"] == LETTER.headers["List-Unsubscribe"]
    assert taken.headers["X-Nurture-Key"] == LETTER.key
    assert not taken.tracked
    assert receipt.provider_id


async def test_a_file_goes_along_as_it_is(line: Line) -> None:
    await line.channel.send(replace(LETTER, attachments=(Attachment("invoice-1.pdf", "application/pdf", PDF),)))

    (taken,) = line.desk.took
    assert taken.files == {"invoice-1.pdf": PDF}
    assert (taken.html, taken.text) == (LETTER.html, LETTER.text)


async def test_a_file_whose_name_would_end_a_header_is_refused_by_each(line: Line) -> None:
    evil = Attachment("a.pdf\r\nBcc: eve@example.org", "application/pdf", PDF)

    assert isinstance(await line.trouble(replace(LETTER, attachments=(evil,))), MessageRefused)
    assert line.desk.calls == []


async def test_a_key_that_is_refused_stops_all_and_is_told_to_nobody(line: Line) -> None:
    wrong = ApiChannel(PROVIDERS[line.name](SecretStr("wrong-key"), "mg.example.org"), url=line.desk.url)
    with pytest.raises(ProviderUnavailable, match="NURTURE_EMAIL_API_KEY") as caught:
        await wrong.send(LETTER)
    await wrong.close()

    assert (caught.value.cause, caught.value.code) == ("provider", "401")
    assert "wrong-key" not in f"{caught.value!s}{caught.value.reply}"
    assert line.desk.took == []


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, timedelta(seconds=7)),
        ({"Retry-After": "Tue, 24 Nov 2026 12:01:00 GMT"}, timedelta(minutes=1)),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 30)}, timedelta(seconds=30)),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
async def test_too_many_requests_are_put_off_as_long_as_is_told(
    line: Line, headers: dict[str, str], wait: timedelta | None
) -> None:
    line.desk.instead = [Reply(429, {"message": "too many requests"}, headers)]

    error = await line.trouble()

    assert isinstance(error, ProviderUnavailable)
    assert (error.retry_after, error.cause) == (wait, "message")
    await line.channel.send(LETTER)
    assert len(line.desk.took) == 1


async def test_a_provider_that_breaks_may_have_sent_it(line: Line) -> None:
    line.desk.instead = [Reply(500, {"message": "internal error"})]

    error = await line.trouble()

    repeats_safely = line.name == "resend"
    assert isinstance(error, ProviderUnavailable if repeats_safely else Ambiguous)


async def test_a_provider_that_is_closed_has_taken_nothing(line: Line) -> None:
    line.desk.instead = [Reply(503, None, {"Retry-After": "120"})]

    error = await line.trouble()

    assert isinstance(error, ProviderUnavailable)
    assert (error.cause, error.retry_after) == ("provider", timedelta(minutes=2))


async def test_without_an_answer_it_may_have_been_sent(line: Line) -> None:
    line.desk.instead = [None]

    assert isinstance(await line.trouble(), Ambiguous)
    assert len(line.desk.calls) == 1


async def test_without_a_connection_nothing_was_handed_over(line: Line) -> None:
    nowhere = ApiChannel(PROVIDERS[line.name](SecretStr(KEY), "mg.example.org"), url="http://127.0.0.1:9")
    with pytest.raises(ProviderUnavailable, match="nothing was handed over") as caught:
        await nowhere.send(LETTER)
    await nowhere.close()

    assert caught.value.cause == "provider"


async def test_an_address_that_is_refused_is_no_fault_of_the_message(line: Line) -> None:
    error = await line.trouble(replace(LETTER, recipient=BAD_ADDRESS))

    assert isinstance(error, AddressRefused)
    assert BAD_ADDRESS not in f"{error}{error.reply}"
    assert line.desk.took == []


async def test_a_message_that_is_refused_is_no_fault_of_the_address(line: Line) -> None:
    error = await line.trouble(replace(LETTER, subject="Прайс"))

    assert isinstance(error, MessageRefused)
    assert line.desk.took == []


async def test_an_answer_that_cannot_be_read_as_the_providers_is_no_receipt(line: Line) -> None:
    line.desk.instead = [Reply(200, ["what", "is", "this"])]

    assert isinstance(await line.trouble(), MessageRefused)


SMUGGLED = "a@example.org\r\nBcc: eve@example.org"


@pytest.mark.parametrize(
    "letter",
    [replace(LETTER, subject=SMUGGLED), replace(LETTER, sender=SMUGGLED), replace(LETTER, recipient=SMUGGLED)],
    ids=["subject", "sender", "recipient"],
)
async def test_what_could_smuggle_in_a_header_is_refused_before_anything_is_sent(line: Line, letter: Envelope) -> None:
    error = await line.trouble(letter)

    assert isinstance(error, MessageRefused | AddressRefused)
    assert line.desk.calls == []


async def test_who_can_tell_says_whether_it_has_a_message_and_never_a_certain_no(line: Line) -> None:
    before = await line.channel.lookup(LETTER.message_id)
    await line.channel.send(LETTER)
    after = await line.channel.lookup(LETTER.message_id)

    assert (before, after) == (None, True if line.name in {"mailgun", "postmark"} else None)


@pytest.mark.parametrize("line", ["resend"], indirect=True)
async def test_by_the_same_key_it_is_sent_once(line: Line) -> None:
    await line.channel.send(LETTER)
    again = await line.channel.send(LETTER)
    otherwise = await line.channel.send(replace(LETTER, text="Hello again"))

    assert len(line.desk.took) == 1
    assert (again.provider_id, otherwise.reply) == ("re-1", "409 taken before")


@pytest.mark.parametrize(
    ("line", "body", "error"),
    [
        ("postmark", {"ErrorCode": 406, "Message": "inactive"}, AddressRefused),
        ("postmark", {"ErrorCode": 300, "Message": "Invalid 'To' address"}, AddressRefused),
        ("postmark", {"ErrorCode": 400, "Message": "the sender is not confirmed"}, MessageRefused),
        ("postmark", {"ErrorCode": 405, "Message": "out of credits"}, ProviderUnavailable),
        ("unisender_go", {"status": "error", "message": "no"}, MessageRefused),
        ("unisender_go", {"status": "success", "failed_emails": {"a@b": "unsubscribed"}}, AddressRefused),
        ("unisender_go", {"status": "success", "failed_emails": {"a@b": "temporary_unavailable"}}, ProviderUnavailable),
        ("mailgun", {"message": "Queued. Thank you."}, MessageRefused),
    ],
    indirect=["line"],
)
async def test_a_refusal_with_the_status_of_success_is_a_refusal(
    line: Line, body: dict[str, object], error: type[SendError]
) -> None:
    line.desk.instead = [Reply(200, body)]

    assert type(await line.trouble()) is error


def test_mailgun_asks_for_the_domain() -> None:
    with pytest.raises(BadSettings, match="NURTURE_EMAIL_DOMAIN"):
        PROVIDERS["mailgun"](SecretStr(KEY))
