"""What people write to us by channels of text: how each provider proves itself, and how it reads."""

import json
from hashlib import sha1
from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr

from nurture.channels.heard import Act, Said, act_of
from nurture.channels.heard.names import HEARERS
from nurture.channels.reports import Posted
from nurture.returns.bounces import Fault
from nurture.returns.report import Kind, Report

SECRET = "12345"
NAME = "0123456789abcdef0123456789abcdef"
URL = "https://example.com/myapp.php?foo=1&bar=2"


def posted(fields: dict[str, str], url: str = URL, **headers: str) -> Posted:
    return Posted({name.replace("_", "-"): value for name, value in headers.items()}, urlencode(fields).encode(), url)


def said(provider: str, given: Posted) -> Said | None:
    hearer = HEARERS[provider](SecretStr(SECRET))
    return hearer.said(hearer.read(given))


def reports(provider: str, given: Posted) -> list[Report]:
    hearer = HEARERS[provider](SecretStr(SECRET))
    return list(hearer.reports(hearer.read(given)))


def proven(provider: str, given: Posted, secret: str = SECRET) -> bool:
    hearer = HEARERS[provider](SecretStr(secret))
    return hearer.proven(given, hearer.read(given))


# --- who is who ---

CALL = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675310",
    "Digits": "1234",
    "From": "+14158675310",
    "To": "+18005551212",
}


@pytest.mark.parametrize("secret", [SECRET, f"another {SECRET}"])
def test_twilios_own_example_is_proven(secret: str) -> None:
    signature = "L/OH5YylLD5NRKLltdqwSvS0BnU="

    assert proven("twilio", posted(CALL, x_twilio_signature=signature), secret)


@pytest.mark.parametrize(
    "given",
    [
        posted(CALL),
        posted(CALL, x_twilio_signature="L/OH5YylLD5NRKLltdqwSvS0BnU"),
        posted({**CALL, "Digits": "1235"}, x_twilio_signature="L/OH5YylLD5NRKLltdqwSvS0BnU="),
        posted(CALL, f"{URL}&baz=3", x_twilio_signature="L/OH5YylLD5NRKLltdqwSvS0BnU="),
        posted(CALL, x_twilio_signature="ж"),
    ],
    ids=["unsigned", "cut", "another field", "another address", "no signature at all"],
)
def test_what_was_altered_is_not_twilios(given: Posted) -> None:
    assert not proven("twilio", given)


def test_the_word_proves_a_status_and_a_text_of_smsc() -> None:
    status = {"id": NAME, "phone": "4930123456", "status": "1"}
    text = {"id": "7", "phone": "4930123456", "mes": "Да: нет", "to": "4930777"}
    status["sha1"] = sha1(f"{NAME}:4930123456:1:{SECRET}".encode()).hexdigest()
    text["sha1"] = sha1(f"4930123456:Да: нет:4930777:{SECRET}".encode()).hexdigest().upper()

    assert [proven("smsc", posted(status)), proven("smsc", posted(text))] == [True, True]
    assert not proven("smsc", posted({**text, "phone": "4930999999"}))
    assert not proven("smsc", posted({**status, "status": "22"}))
    assert not proven("smsc", posted({"id": NAME, "phone": "4930123456", "status": "1"}))


def test_telegram_is_known_by_its_header() -> None:
    right = Posted({"x-telegram-bot-api-secret-token": SECRET}, b"{}")

    assert proven("telegram", right)
    assert not proven("telegram", right, "another")
    assert not proven("telegram", Posted({}, b"{}"))


# --- what is said ---


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("STOP", Act.STOPS), (" stop. ", Act.STOPS), ("Стоп!", Act.STOPS), ("/stop", Act.STOPS), ("отписаться", Act.STOPS),
        ("START", Act.STARTS), ("/start", Act.STARTS),
        ("please stop by tomorrow", Act.SAYS), ("yes", Act.SAYS), ("", Act.SAYS),
    ],
)  # fmt: skip
def test_a_word_alone_stops_or_starts_and_in_a_sentence_it_is_said(text: str, act: Act) -> None:
    assert act_of(text) is act


SMS = {"MessageSid": "SM1", "From": "+4930123456", "To": "+4930777", "Body": "Call me\x00 back"}


def test_an_sms_to_twilio_is_read() -> None:
    assert said("twilio", posted(SMS)) == Said("SM1", "sms", "+4930123456", Act.SAYS, text="Call me back")
    stop = said("twilio", posted({**SMS, "Body": "leave me", "OptOutType": "STOP"}))
    assert stop is not None
    assert stop.act is Act.STOPS


def test_an_sms_to_smsc_is_read() -> None:
    given = posted({"id": "7", "phone": "4930123456", "mes": "стоп", "to": "4930777", "sha1": "x"})

    assert said("smsc", given) == Said("7", "sms", "+4930123456", Act.STOPS, text="стоп")


def update(part: str = "message", chat: str = "private", **told: Any) -> Posted:
    sender = {"id": 7700123, "first_name": "Ann", "language_code": "ru"}
    message = {"from": sender, "chat": {"id": 7700123, "type": chat}, "date": 1795521600, **told}
    return Posted({}, json.dumps({"update_id": 17, part: message}).encode())


def test_a_text_to_the_bot_is_read_with_what_its_sender_is_called() -> None:
    told = said("telegram", update(text="How much?"))

    assert told is not None
    assert (told.id, told.channel, told.address, told.act, told.text) == (
        "17",
        "telegram",
        "7700123",
        Act.SAYS,
        "How much?",
    )
    assert told.about == {"first_name": "Ann", "language": "ru"}


def test_a_start_may_bring_a_token_along() -> None:
    told = said("telegram", update(text="/start abc_-1"))

    assert told is not None
    assert (told.act, told.token) == (Act.STARTS, "abc_-1")


def test_who_shuts_the_bot_out_closes_the_chat() -> None:
    told = said("telegram", update("my_chat_member", new_chat_member={"status": "kicked"}))

    assert told is not None
    assert told.act is Act.CLOSES


@pytest.mark.parametrize(
    "given",
    [
        update(chat="group", text="hello"),
        update(),
        update("my_chat_member", new_chat_member={"status": "member"}),
        update("edited_message", text="hello"),
        Posted({}, b"[1, 2]"),
        Posted({}, b"no json"),
        Posted({}, b'{"update_id": 1, "message": {"chat": 5}}'),
    ],
    ids=["a group", "no text", "let in again", "edited", "a list", "no JSON", "no chat"],
)
def test_whatever_else_telegram_tells_is_left_out(given: Posted) -> None:
    assert said("telegram", given) is None


def test_telegram_passes_on_the_words_that_it_is_answered_with() -> None:
    hearer = HEARERS["telegram"](SecretStr(SECRET))
    answered = hearer.answer(hearer.read(update(text="/stop")), "No more.")

    assert json.loads(answered.content) == {"method": "sendMessage", "chat_id": 7700123, "text": "No more."}


# --- what became of a message ---


@pytest.mark.parametrize(
    ("status", "code", "kind", "fault"),
    [
        ("delivered", "", Kind.DELIVERED, None),
        ("undelivered", "30005", Kind.BOUNCED, Fault.ADDRESS),
        ("undelivered", "30003", Kind.BOUNCED, Fault.MAILBOX),
        ("failed", "30007", Kind.BOUNCED, Fault.SENDER),
        ("failed", "30008", Kind.BOUNCED, Fault.UNTOLD),
    ],
)
def test_twilio_reports_by_our_name_for_the_message(status: str, code: str, kind: Kind, fault: Fault | None) -> None:
    fields = {"MessageSid": "SM1", "MessageStatus": status, "ErrorCode": code, "To": "+4930123456"}

    (report,) = reports("twilio", posted(fields, f"https://example.org/hooks/texts/twilio?message={NAME}"))
    assert (report.id, report.kind, report.message, report.fault) == (f"SM1/{status}", kind, NAME, fault)
    assert report.address == "+4930123456"


@pytest.mark.parametrize(
    ("status", "kind", "fault"),
    [("1", Kind.DELIVERED, None), ("22", Kind.BOUNCED, Fault.ADDRESS), ("3", Kind.BOUNCED, Fault.MAILBOX)],
)
def test_smsc_reports_under_the_id_that_we_gave(status: str, kind: Kind, fault: Fault | None) -> None:
    (report,) = reports("smsc", posted({"id": NAME, "phone": "4930123456", "status": status}))

    assert (report.kind, report.message, report.fault, report.address) == (kind, NAME, fault, "+4930123456")


@pytest.mark.parametrize(
    ("provider", "given"),
    [
        ("twilio", posted({"MessageSid": "SM1", "MessageStatus": "sent"}, f"https://example.org/?message={NAME}")),
        ("twilio", posted({"MessageSid": "SM1", "MessageStatus": "delivered"})),
        ("smsc", posted({"id": NAME, "phone": "4930123456", "status": "0"})),
        ("smsc", posted({"id": "not-ours", "phone": "4930123456", "status": "1"})),
    ],
)
def test_what_is_no_end_or_none_of_ours_is_no_report(provider: str, given: Posted) -> None:
    assert reports(provider, given) == []
