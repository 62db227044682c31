"""Channels by the API of each provider, against a server that speaks as it documents: one contract for all of them."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from activities.messengers import MessengerChannel
from activities.webhooks import Webhooks
from nurture.channels import Attachment, Channel, Envelope
from nurture.channels.api import ApiChannel
from nurture.channels.providers.names import PROVIDERS
from nurture.channels.texts.names import SMS_PROVIDERS
from nurture.channels.texts.telegram import Telegram
from nurture.errors import AddressRefused, Ambiguous, BadSettings, MessageRefused, ProviderUnavailable, SendError
from nurture.messengers import Messenger
from nurture.network import Network
from tests.integration import provider
from tests.integration.provider import (
    ACCOUNT,
    BAD_ADDRESS,
    BAD_CHAT,
    BAD_NUMBER,
    BAD_WORDS,
    KEY,
    WEBHOOK_KEY,
    Call,
    Desk,
    Reply,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SPEAK: dict[str, Callable[[Desk, Call], Reply]] = {
    "amazon_ses": provider.amazon_ses,
    "mailgun": provider.mailgun,
    "postmark": provider.postmark,
    "resend": provider.resend,
    "sendgrid": provider.sendgrid,
    "unisender_go": provider.unisender_go,
    "smsc": provider.smsc,
    "twilio": provider.twilio,
    "telegram": provider.telegram,
    "messenger": provider.messenger,
}
EMAIL, TEXTS = sorted(PROVIDERS), [*sorted(SMS_PROVIDERS), "telegram", "messenger"]
KEY_SETTINGS = {
    "smsc": "NURTURE_SMS_KEY",
    "twilio": "NURTURE_SMS_KEY",
    "telegram": "NURTURE_TELEGRAM_TOKEN",
    "messenger": "NURTURE_HOOK_SECRETS__MESSENGER",
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


OTHERS = {
    "telegram": ("7700123", BAD_CHAT),
    **dict.fromkeys(("smsc", "twilio", "messenger"), ("+4930123456", BAD_NUMBER)),
}
"""Whom the providers of texts are to reach, and whom they never do."""


def channel_to(name: str, url: str, key: str = KEY) -> Channel:
    """A channel to that provider, as the worker makes it."""
    secret, clock = SecretStr(f"AKIA:{key}" if name == "amazon_ses" else key), lambda: NOW
    if name in PROVIDERS:
        return ApiChannel(PROVIDERS[name](secret, "mg.example.org"), url=url, timeout=4, clock=clock)
    if name in SMS_PROVIDERS:
        by = SMS_PROVIDERS[name](secret, ACCOUNT, "+4930777", "https://example.org/hooks/sms/x")
        return ApiChannel(by, name="sms", url=url, timeout=4, clock=clock)
    if name == "telegram":
        return ApiChannel(Telegram(secret), name="telegram", url=url, timeout=4, clock=clock)
    seal = WEBHOOK_KEY if key == KEY else "whsec_d3Jvbmcta2V5d3Jvbmcta2V5"
    webhooks = Webhooks({"messenger": SecretStr(seal)}, Network(lambda _: True))
    return MessengerChannel(Messenger(key="messenger", url=f"{url}/in"), webhooks, clock=clock)


@dataclass
class Line:
    """A channel to a provider, and the provider's side of it."""

    desk: Desk
    channel: Channel
    name: str

    @property
    def letter(self) -> Envelope:
        """A message to somebody whom the channel reaches."""
        return replace(LETTER, recipient=OTHERS[self.name][0]) if self.name in OTHERS else LETTER

    async def trouble(self, letter: Envelope | None = None) -> SendError:
        with pytest.raises(SendError) as caught:
            await self.channel.send(letter or self.letter)
        return caught.value


@pytest.fixture(params=[*EMAIL, *TEXTS])
async def line(request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    name: str = request.param
    async with Desk(SPEAK[name]).open() as desk:
        channel = channel_to(name, desk.url)
        yield Line(desk, channel, name)
        await channel.close()


only_email = pytest.mark.parametrize("line", EMAIL, indirect=True)
only_texts = pytest.mark.parametrize("line", TEXTS, indirect=True)


def test_every_provider_has_a_server_to_be_tried_on() -> None:
    assert {*EMAIL, *TEXTS} == SPEAK.keys()


@only_email
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


@only_texts
async def test_a_text_is_taken_as_it_was_written(line: Line) -> None:
    receipt = await line.channel.send(replace(line.letter, text="Hello,\nПривет & co"))

    (taken,) = line.desk.took
    assert (taken.to, taken.text) == (line.letter.recipient, "Hello,\nПривет & co")
    assert receipt.provider_id


@only_texts
@pytest.mark.parametrize("text", [" \n", "half a \ud800"])
async def test_a_text_that_says_nothing_or_cannot_be_said_is_not_sent(line: Line, text: str) -> None:
    assert isinstance(await line.trouble(replace(line.letter, text=text)), MessageRefused)
    assert line.desk.calls == []


@only_email
async def test_a_file_goes_along_as_it_is(line: Line) -> None:
    await line.channel.send(replace(LETTER, attachments=(Attachment("invoice-1.pdf", "application/pdf", PDF),)))

    (taken,) = line.desk.took
    assert taken.files == {"invoice-1.pdf": PDF}
    assert (taken.html, taken.text) == (LETTER.html, LETTER.text)


@only_email
async def test_a_file_whose_name_would_end_a_header_is_refused_by_each(line: Line) -> None:
    evil = Attachment("a.pdf\r\nBcc: eve@example.org", "application/pdf", PDF)

    assert isinstance(await line.trouble(replace(LETTER, attachments=(evil,))), MessageRefused)
    assert line.desk.calls == []


async def test_a_key_that_is_refused_stops_all_and_is_told_to_nobody(line: Line) -> None:
    wrong = channel_to(line.name, line.desk.url, "wrong-key")
    with pytest.raises(ProviderUnavailable, match=KEY_SETTINGS.get(line.name, "NURTURE_EMAIL_API_KEY")) as caught:
        await wrong.send(line.letter)
    await wrong.close()

    assert (caught.value.cause, caught.value.code) == ("provider", "403" if line.name == "amazon_ses" else "401")
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
    await line.channel.send(line.letter)
    assert len(line.desk.took) == 1


async def test_a_provider_that_breaks_may_have_sent_it(line: Line) -> None:
    line.desk.instead = [Reply(500, {"message": "internal error"})]

    error = await line.trouble()

    repeats_safely = line.name in {"resend", "messenger"}
    assert isinstance(error, ProviderUnavailable if repeats_safely else Ambiguous)


async def test_a_provider_that_is_closed_has_taken_nothing(line: Line) -> None:
    line.desk.instead = [Reply(503, None, {"Retry-After": "120"})]

    error = await line.trouble()

    assert isinstance(error, ProviderUnavailable)
    assert (error.cause, error.retry_after) == ("provider", timedelta(minutes=2))


async def test_without_an_answer_it_may_have_been_sent(line: Line) -> None:
    line.desk.instead = [None]

    repeats_safely = line.name == "messenger"
    assert isinstance(await line.trouble(), ProviderUnavailable if repeats_safely else Ambiguous)
    assert len(line.desk.calls) == 1


async def test_without_a_connection_nothing_was_handed_over(line: Line) -> None:
    nowhere = channel_to(line.name, "http://127.0.0.1:9")
    with pytest.raises(ProviderUnavailable, match=r"nothing was handed over|cannot be reached") as caught:
        await nowhere.send(line.letter)
    await nowhere.close()

    assert caught.value.cause == "provider"


async def test_an_address_that_is_refused_is_no_fault_of_the_message(line: Line) -> None:
    bad = OTHERS[line.name][1] if line.name in OTHERS else BAD_ADDRESS
    error = await line.trouble(replace(LETTER, recipient=bad))

    assert isinstance(error, AddressRefused)
    assert bad.removeprefix("+") not in f"{error}{error.reply}"
    assert line.desk.took == []


async def test_a_message_that_is_refused_is_no_fault_of_the_address(line: Line) -> None:
    error = await line.trouble(replace(line.letter, subject="Прайс", text=BAD_WORDS))

    assert isinstance(error, MessageRefused)
    assert line.desk.took == []


@pytest.mark.parametrize("line", [one for one in SPEAK if one != "messenger"], indirect=True)
async def test_an_answer_that_cannot_be_read_as_the_providers_is_no_receipt(line: Line) -> None:
    line.desk.instead = [Reply(200, ["what", "is", "this"])]

    assert isinstance(await line.trouble(), MessageRefused)


SMUGGLED = "a@example.org\r\nBcc: eve@example.org"


@only_email
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
    await line.channel.send(line.letter)
    after = await line.channel.lookup(LETTER.message_id)

    assert (before, after) == (None, True if line.name in {"mailgun", "postmark"} else None)


@pytest.mark.parametrize("line", ["messenger"], indirect=True)
async def test_a_messenger_takes_the_same_message_once(line: Line) -> None:
    receipts = [await line.channel.send(line.letter) for _ in range(2)]

    assert (len(line.desk.calls), len(line.desk.took), receipts[0]) == (2, 1, receipts[1])


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://localhost:1/in", "its host is in a private network: NURTURE_PRIVATE_HOOKS=true allows that"),
        ("ftp://bridge.example/in", "its address is no http:// or https:// one"),
    ],
)
async def test_a_messenger_is_called_at_public_addresses_only(url: str, fault: str) -> None:
    own = Messenger(key="messenger", url=url)
    channel = MessengerChannel(own, Webhooks({}, Network(lambda _: False)), clock=lambda: NOW)

    with pytest.raises(ProviderUnavailable, match=f"messenger is not called: {fault}") as caught:
        await channel.send(LETTER)
    await channel.close()
    assert caught.value.cause == "provider"


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
        ("smsc", {"error": "no money", "error_code": 3}, ProviderUnavailable),
        ("smsc", {"error": "no delivery", "error_code": 8, "id": 1}, AddressRefused),
        ("smsc", {"error": "duplicate request, wait a minute", "error_code": 9}, ProviderUnavailable),
        ("smsc", {"error": "parameters error", "error_code": 1}, MessageRefused),
        ("telegram", {"ok": False, "description": "Bad Request"}, MessageRefused),
    ],
    indirect=["line"],
)
async def test_a_refusal_with_the_status_of_success_is_a_refusal(
    line: Line, body: dict[str, object], error: type[SendError]
) -> None:
    line.desk.instead = [Reply(200, body)]

    assert type(await line.trouble()) is error


@pytest.mark.parametrize(
    ("line", "status", "body", "error", "code"),
    [
        ("twilio", 400, {"code": 21610, "message": "Attempt to send to unsubscribed"}, AddressRefused, "21610"),
        ("twilio", 400, {"code": 21614, "message": "not a mobile number"}, AddressRefused, "21614"),
        ("twilio", 400, {"code": 21606, "message": "the From number is not ours"}, MessageRefused, "400"),
        ("twilio", 429, {"code": 20429, "message": "Too many requests"}, ProviderUnavailable, "429"),
        ("telegram", 400, {"ok": False, "description": "Bad Request: chat not found"}, AddressRefused, "400"),
        ("telegram", 400, {"ok": False, "description": "Bad Request: can't parse"}, MessageRefused, "400"),
        ("telegram", 403, {"ok": False, "description": "Forbidden: user is deactivated"}, AddressRefused, "403"),
    ],
    indirect=["line"],
)
async def test_a_provider_says_in_its_own_words_who_is_to_blame(
    line: Line, status: int, body: dict[str, object], error: type[SendError], code: str
) -> None:
    line.desk.instead = [Reply(status, body)]

    found = await line.trouble()

    assert (type(found), found.code) == (error, code)


@pytest.mark.parametrize("line", ["telegram"], indirect=True)
async def test_telegram_says_in_the_body_how_long_to_wait(line: Line) -> None:
    line.desk.instead = [Reply(429, {"ok": False, "error_code": 429, "parameters": {"retry_after": 11}})]

    error = await line.trouble()

    assert isinstance(error, ProviderUnavailable)
    assert (error.retry_after, error.cause) == (timedelta(seconds=11), "message")


@pytest.mark.parametrize("line", ["telegram"], indirect=True)
async def test_the_token_of_a_bot_is_in_no_error(line: Line) -> None:
    line.desk.instead = [None]
    nowhere = channel_to("telegram", "http://127.0.0.1:9")
    with pytest.raises(SendError) as caught:
        await nowhere.send(line.letter)
    await nowhere.close()

    assert KEY not in f"{caught.value}{await line.trouble()}"


@pytest.mark.parametrize("line", ["twilio"], indirect=True)
async def test_twilio_is_told_where_to_report_with_our_name_for_the_message(line: Line) -> None:
    await line.channel.send(line.letter)

    (taken,) = line.desk.took
    assert taken.headers["StatusCallback"] == "https://example.org/hooks/sms/x?message=0123456789abcdef"


@pytest.mark.parametrize("line", ["amazon_ses"], indirect=True)
@pytest.mark.parametrize(
    ("status", "kind", "error", "cause"),
    [
        (429, "TooManyRequestsException", ProviderUnavailable, "message"),
        (400, "LimitExceededException", ProviderUnavailable, "message"),
        (400, "AccountSuspendedException", ProviderUnavailable, "provider"),
        (400, "SendingPausedException", ProviderUnavailable, "provider"),
        (400, "MessageRejected", MessageRefused, None),
        (403, "ExpiredTokenException", ProviderUnavailable, "provider"),
    ],
)
async def test_amazon_says_by_the_type_of_an_error_who_is_to_blame(
    line: Line, status: int, kind: str, error: type[SendError], cause: str | None
) -> None:
    line.desk.instead = [Reply(status, {"message": "no"}, {"x-amzn-ErrorType": f"{kind}:http://internal.amazon.com/"})]

    found = await line.trouble()

    assert (type(found), getattr(found, "cause", None)) == (error, cause)


def test_amazon_asks_for_both_halves_of_a_key() -> None:
    with pytest.raises(BadSettings, match="id:secret"):
        PROVIDERS["amazon_ses"](SecretStr("AKIA"))


def test_mailgun_asks_for_the_domain() -> None:
    with pytest.raises(BadSettings, match="NURTURE_EMAIL_DOMAIN"):
        PROVIDERS["mailgun"](SecretStr(KEY))
