"""The mail made of an envelope, and the verdict on a relay's reply."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import compat32, default

import pytest

from nurture.channels import Attachment, Envelope
from nurture.channels.mail import Mail, compose
from nurture.channels.replies import Stage, provider_id, refusal, scrubbed
from nurture.errors import AddressRefused, MessageRefused, ProviderUnavailable, SendError

ENVELOPE = Envelope(
    key="journey-7/greet/1",
    message_id="a1b2c3@mail.example.com",
    date=datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
    sender="Anna at Acme <anna@example.com>",
    recipient="bob@customer.example",
    subject="Our price list",
    html="<p>Hello</p>",
    text="Hello",
    language="en",
    headers={"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
)
PLAIN = Attachment('a "b".pdf', "application/pdf", b"%PDF")
MAIL = Mail("anna@example.com", "bob@customer.example", b"")


def made(**changes: object) -> EmailMessage:
    """The mail, as a mail program reads it."""
    content = compose(replace(ENVELOPE, **changes)).content  # type: ignore[arg-type]  # each test changes what it likes
    return message_from_bytes(content, policy=default)


def test_a_mail_has_both_parts_and_its_headers() -> None:
    mail = made()

    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content().strip() for part in mail.iter_parts()] == ["Hello", "<p>Hello</p>"]
    assert mail["Message-ID"] == "<a1b2c3@mail.example.com>"
    assert mail["X-Nurture-Key"] == "journey-7/greet/1"
    assert mail["Date"].datetime == ENVELOPE.date
    assert mail["Content-Language"] == "en"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_files_go_along_beside_both_parts() -> None:
    content = bytes(range(256)) * 10
    mail = made(attachments=(Attachment("Счёт № 1.pdf", "application/pdf", content), PLAIN))

    assert mail.get_content_type() == "multipart/mixed"
    both, russian, plain = mail.iter_parts()
    assert [part.get_content().strip() for part in both.iter_parts()] == ["Hello", "<p>Hello</p>"]
    assert (russian.get_filename(), russian.get_content_type()) == ("Счёт № 1.pdf", "application/pdf")
    assert russian.get_content() == content
    assert (plain.get_filename(), plain.get_content_disposition()) == ("a 'b'.pdf", "attachment")


@pytest.mark.parametrize(
    "name", ["a.pdf\r\nBcc: eve@example.com", "a\n.pdf", "a\x00.pdf", "a\u2028.pdf", "", "..", "../a.pdf", "a\\b.pdf"]
)
def test_a_file_with_a_name_that_could_do_harm_is_refused(name: str) -> None:
    with pytest.raises(MessageRefused):
        made(attachments=(Attachment(name, "application/pdf", b""),))


@pytest.mark.parametrize("kind", ["application/pdf\r\nX: y", "pdf", "text/html; name=x"])
def test_a_file_of_a_kind_that_could_do_harm_is_refused(kind: str) -> None:
    with pytest.raises(MessageRefused):
        made(attachments=(Attachment("a.pdf", kind, b""),))


def test_no_file_is_read_in_the_repr_of_its_envelope() -> None:
    assert "secret" not in repr(
        replace(ENVELOPE, attachments=(Attachment("secret.pdf", "application/pdf", b"secret"),))
    )


def test_angle_brackets_of_a_message_id_are_not_doubled() -> None:
    assert made(message_id="<x@example.com>")["Message-ID"] == "<x@example.com>"


def test_russian_survives_in_seven_bits() -> None:
    mail = made(html="<p>Привет</p>", text="Привет")

    assert [part.get_content().strip() for part in mail.iter_parts()] == ["Привет", "<p>Привет</p>"]
    assert compose(replace(ENVELOPE, text="Привет")).content.isascii()


def test_the_same_envelope_makes_the_same_mail() -> None:
    assert compose(ENVELOPE).content == compose(ENVELOPE).content


def test_a_text_that_holds_the_boundary_stays_one_part() -> None:
    text = "--=_nurture\n--=_nurture--\n."

    assert [part.get_content().splitlines() for part in made(text=text).iter_parts()] == [
        text.splitlines(),
        ["<p>Hello</p>"],
    ]


@pytest.mark.parametrize("times", [1, 3, 9])
def test_a_long_russian_header_keeps_every_space(times: int) -> None:
    words = ("Прайс-лист для вас " * times).strip()
    content = compose(replace(ENVELOPE, subject=words, sender=f"{words} <anna@example.com>")).content
    raw = message_from_bytes(content, policy=compat32)

    assert str(make_header(decode_header(raw["Subject"]))) == words
    assert str(make_header(decode_header(raw["From"]))) == f"{words} <anna@example.com>"
    assert max(map(len, content.split(b"\r\n"))) <= 78


def test_a_long_unsubscribe_link_stays_readable_for_machines() -> None:
    link = f"<https://example.com/u/{'t' * 400}>"
    content = compose(replace(ENVELOPE, headers={"List-Unsubscribe": link})).content

    assert f"List-Unsubscribe: {link}\r\n".encode() in content


def test_a_long_subject_folds_and_unfolds_to_itself() -> None:
    subject = "Fourteen reasons to compare " * 9 + "prices"

    assert made(subject=subject)["Subject"] == subject
    assert max(map(len, compose(replace(ENVELOPE, subject=subject)).content.split(b"\r\n"))) <= 78


@pytest.mark.parametrize("text", ["a\rb", "a\n.\r\nb", ".", "..", "x" * 3000, "я" * 3000, "tail \n\n"])
def test_no_text_can_end_the_mail_early(text: str) -> None:
    content = compose(replace(ENVELOPE, text=text, html=text)).content

    assert b"\r" not in content.replace(b"\r\n", b"")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(map(len, content.split(b"\r\n"))) < 998


@pytest.mark.parametrize(
    "evil", ["\r\nBcc: eve@example.com", "\n", "\r", "\0", "\u2028", "\u2029", "\x85", "\x0b", "\udc0a"]
)
@pytest.mark.parametrize(
    ("field", "header"),
    [("subject", "Subject"), ("recipient", "To"), ("sender", "From"), ("reply_to", "Reply-To"), ("message_id", "Message-ID"),
     ("key", "X-Nurture-Key"), ("language", "Content-Language")],
)  # fmt: skip
def test_a_line_break_in_a_header_refuses_the_message_by_its_name(field: str, header: str, evil: str) -> None:
    with pytest.raises(MessageRefused, match=header) as refused:
        made(**{field: f"a{evil}b"})

    assert "eve" not in str(refused.value)


def test_a_line_break_in_an_extra_header_refuses_the_message() -> None:
    with pytest.raises(MessageRefused, match="List-Id"):
        made(headers={"List-Id": "news\r\nBcc: eve@example.com"})


@pytest.mark.parametrize(
    "name", ["Bcc", "Subject", "Content-Type", "x-nurture-key", "List Id", "List:Id", "", "L\r\nBcc"]
)
def test_an_extra_header_can_neither_replace_ours_nor_bear_a_strange_name(name: str) -> None:
    with pytest.raises(MessageRefused):
        made(headers={name: "x"})


@pytest.mark.parametrize(
    "recipient",
    ["", "bob", "a@b.example, c@d.example", "Bob <bob@b.example>", "a@b@c.example", "bob@", "@b.example", '"a b"@b.example',
     "bob@[127.0.0.1]", "почта@b.example", f"{'a' * 65}@b.example"],
)  # fmt: skip
def test_what_is_not_one_plain_address_is_refused_as_an_address(recipient: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        made(recipient=recipient)

    assert not recipient or recipient not in str(refused.value)


def test_a_russian_domain_is_written_in_ascii() -> None:
    assert compose(replace(ENVELOPE, recipient="info@почта.рф")).recipient == "info@xn--80a1acny.xn--p1ai"


def test_a_display_name_is_quoted_and_cannot_add_an_address() -> None:
    sender = made(sender='"Smith, John" <john@example.com>')["From"]

    assert [address.addr_spec for address in sender.addresses] == ["john@example.com"]
    with pytest.raises(MessageRefused, match="From"):
        made(sender="Eve <eve@example.com> <john@example.com>")


def test_the_repr_of_an_envelope_and_a_mail_names_nobody() -> None:
    shown = repr(ENVELOPE) + repr(compose(ENVELOPE))

    assert not [secret for secret in ("bob", "anna", "price list", "Hello") if secret in shown]


@pytest.mark.parametrize(
    ("stage", "code", "text", "error"),
    [
        (Stage.RECIPIENT, 550, "5.1.1 <bob@customer.example>: user unknown", AddressRefused),
        (Stage.RECIPIENT, 550, "5.1.10 domain takes no mail", AddressRefused),
        (Stage.RECIPIENT, 553, "5.1.3 malformed", AddressRefused),
        (Stage.CONTENT, 550, "5.1.1 no such user", AddressRefused),
        (Stage.RECIPIENT, 550, "No such user here", AddressRefused),
        (Stage.RECIPIENT, 550, "user unknown", AddressRefused),
        (Stage.RECIPIENT, 550, "Requested action not taken: mailbox unavailable", AddressRefused),
        (Stage.RECIPIENT, 550, "mailbox unavailable: rejected by SPF policy", MessageRefused),
        (Stage.RECIPIENT, 550, "go away", MessageRefused),
        (Stage.SENDER, 550, "5.1.1 user unknown", MessageRefused),
        (Stage.RECIPIENT, 550, "5.1.8 bad sender domain", MessageRefused),
        (Stage.RECIPIENT, 550, "5.7.1 relaying denied", MessageRefused),
        (Stage.CONTENT, 550, "5.7.515 does not meet the required authentication level", MessageRefused),
        (Stage.CONTENT, 554, "transaction failed: spam", MessageRefused),
        (Stage.SENDER, 552, "message too large", MessageRefused),
        (Stage.CONTENT, 552, "5.3.4 too big", MessageRefused),
        (Stage.RECIPIENT, 552, "5.2.2 mailbox full", ProviderUnavailable),
        (Stage.RECIPIENT, 552, "mailbox full", ProviderUnavailable),
        (Stage.RECIPIENT, 550, "4.2.1 too many messages for this mailbox", ProviderUnavailable),
        (Stage.RECIPIENT, 421, "closing", ProviderUnavailable),
        (Stage.RECIPIENT, 450, "4.1.1 greylisted", ProviderUnavailable),
        (Stage.RECIPIENT, 451, "4.7.1 slow down", ProviderUnavailable),
        (Stage.CONTENT, 452, "out of storage", ProviderUnavailable),
        (Stage.SENDER, 530, "5.7.0 authentication required", ProviderUnavailable),
        (Stage.DATA, 250, "not the go-ahead", ProviderUnavailable),
    ],
)
def test_a_reply_says_whose_fault_it_is(stage: Stage, code: int, text: str, error: type[SendError]) -> None:
    assert type(refusal(stage, code, text, MAIL)) is error


def test_a_refusal_keeps_code_and_reply_but_no_address() -> None:
    error = refusal(Stage.RECIPIENT, 550, "5.1.1 <Bob@Customer.example>\n user bob unknown (bob%40x.example)", MAIL)

    assert error.code == "5.1.1"
    assert error.reply == "5.1.1 <<address>> user <address> unknown (bob%40x.example)".replace(
        "(bob%40x.example)", "<address>"
    )
    assert "bob" not in str(error).lower()


def test_a_named_delay_is_kept() -> None:
    error = refusal(Stage.RECIPIENT, 451, "4.7.1 Greylisted, try again in 5 minutes", MAIL)

    assert isinstance(error, ProviderUnavailable)
    assert error.retry_after == timedelta(minutes=5)


def test_a_reply_cannot_forge_lines_in_our_logs() -> None:
    assert scrubbed("one\r\ntwo\x1b[2J\0", MAIL) == "one two?[2J?"


@pytest.mark.parametrize(
    ("reply", "name"),
    [("2.0.0 Ok: queued as 4XyZ1234", "4XyZ1234"), ("OK id=1rABcd-0004Xy-2k", "1rABcd-0004Xy-2k"),
     ("Ok 0102018f-aaaa-bbbb", "0102018f-aaaa-bbbb"), ("2.0.0 Message accepted for delivery", None)],
)  # fmt: skip
def test_the_providers_own_name_for_a_message_is_read_from_its_reply(reply: str, name: str | None) -> None:
    assert provider_id(reply) == name
