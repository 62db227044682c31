"""What comes back in the mail is told apart, whoever wrote it and however."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nurture.returns.bounces import Fault
from nurture.returns.reading import Reading, Sort, read
from nurture.returns.report import Kind
from tests import mails

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def told(content: bytes) -> tuple[Sort, list[tuple[Kind, Fault | None]]]:
    """The sort of a mail, and what it tells of our message."""
    reading = read(content, NOW)
    assert {one.message for one in reading.reports} <= {mails.NAME}
    return reading.sort, [(one.kind, one.fault) for one in reading.reports]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        pytest.param(mails.failed("5.1.1"), Fault.ADDRESS, id="no such user"),
        pytest.param(mails.failed("5.1.10"), Fault.ADDRESS, id="no such recipient"),
        pytest.param(mails.failed("5.2.2", "smtp; 552 5.2.2 over quota"), Fault.MAILBOX, id="full"),
        pytest.param(mails.failed("4.2.2", "smtp; 452 4.2.2 over quota"), Fault.MAILBOX, id="full for days"),
        pytest.param(mails.failed("4.4.1", "X-Postfix; Connection timed out"), Fault.PASSING, id="out of reach"),
        pytest.param(mails.failed("5.7.26", "smtp; 550 5.7.26 unauthenticated"), Fault.SENDER, id="not authenticated"),
        pytest.param(mails.failed("5.0.0", "smtp; 550 No such user"), Fault.ADDRESS, id="in words"),
        pytest.param(mails.failed("5.0.0", "smtp; 550 5.1.1 unknown"), Fault.ADDRESS, id="closer by"),
        pytest.param(mails.failed("5.0.0", "smtp; 554 rejected as spam"), Fault.SENDER, id="spam"),
        pytest.param(mails.failed("5.3.4", "smtp; 552 5.3.4 too big"), Fault.SIZE, id="too large"),
        pytest.param(mails.EXIM, Fault.ADDRESS, id="Exim"),
        pytest.param(mails.QMAIL, Fault.MAILBOX, id="qmail"),
        pytest.param(mails.BY_ITS_ADDRESS, Fault.ADDRESS, id="named by the address it came to"),
    ],
)
def test_a_bounce_says_whose_fault_it_is(content: bytes, fault: Fault) -> None:
    assert told(content) == (Sort.BOUNCE, [(Kind.BOUNCED, fault)])


def test_a_bounce_may_bring_the_whole_message_back() -> None:
    fields = "Action: failed\nStatus: 5.1.1"

    assert told(mails.dsn(fields, how="message/rfc822", back=f"{mails.HEADERS_OF_OURS}\nHello")) == (
        Sort.BOUNCE, [(Kind.BOUNCED, Fault.ADDRESS)],
    )  # fmt: skip


@pytest.mark.parametrize("action", ["delayed", "relayed", "expanded"])
def test_what_is_not_settled_yet_says_nothing(action: str) -> None:
    assert told(mails.dsn(f"Action: {action}\nStatus: 4.2.0")) == (Sort.BOUNCE, [])


def test_a_delivery_may_be_told_too() -> None:
    assert told(mails.dsn("Action: delivered\nStatus: 2.0.0")) == (Sort.BOUNCE, [(Kind.DELIVERED, None)])


def test_a_bounce_of_somebody_elses_message_says_nothing() -> None:
    back = "From: me@example.net\nMessage-ID: <other@example.net>\n"

    assert told(mails.dsn("Action: failed\nStatus: 5.1.1", back=back)) == (Sort.BOUNCE, [])


@pytest.mark.parametrize("kind", ["abuse", "fraud", "virus", "other"])
def test_a_complaint_is_one_of_any_kind(kind: str) -> None:
    assert told(mails.arf(kind)) == (Sort.COMPLAINT, [(Kind.COMPLAINED, None)])


def test_who_opts_out_by_a_feedback_loop_has_unsubscribed() -> None:
    assert told(mails.arf("opt-out")) == (Sort.COMPLAINT, [(Kind.UNSUBSCRIBED, None)])


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", ""])
def test_a_feedback_report_of_another_kind_says_nothing(kind: str) -> None:
    assert told(mails.arf(kind)) == (Sort.COMPLAINT, [])


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(mails.answer(), id="plain"),
        pytest.param(mails.answer("AW: Preisliste"), id="in another language"),
        pytest.param(mails.answer("Out of stock?"), id="a subject that only begins like an absence"),
        pytest.param(mails.answer(more="Auto-Submitted: no"), id="said to be of a person"),
        pytest.param(
            mails.answer(body="no such user, mailbox full, 550 5.1.1\n> On Monday you wrote"), id="words of bounces"
        ),
        pytest.param(mails.answer().replace(b"In-Reply-To", b"X-Nothing"), id="by its references only"),
    ],
)
def test_an_answer_of_the_reader_is_a_reply(content: bytes) -> None:
    assert told(content) == (Sort.REPLY, [(Kind.REPLIED, None)])


@pytest.mark.parametrize(
    "body", ["unsubscribe", "STOP.", "Отписаться\n\nOn Mon, Example wrote:\n> Hello", " Remove me! "]
)
def test_who_answers_only_to_leave_has_unsubscribed(body: str) -> None:
    assert told(mails.answer(body=body)) == (Sort.REPLY, [(Kind.UNSUBSCRIBED, None)])


def test_who_says_more_than_that_is_read_by_people() -> None:
    assert told(mails.answer(body="How do I unsubscribe?"))[1] == [(Kind.REPLIED, None)]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(mails.answer(more="Auto-Submitted: auto-replied"), id="RFC 3834"),
        pytest.param(mails.answer(more="X-Auto-Response-Suppress: All"), id="Exchange"),
        pytest.param(mails.answer(more="Precedence: auto_reply"), id="precedence"),
        pytest.param(mails.answer(more="Precedence: bulk"), id="bulk"),
        pytest.param(mails.answer(more="X-Autoreply: yes"), id="cPanel"),
        pytest.param(mails.answer("Automatic reply: The price list"), id="Outlook"),
        pytest.param(mails.answer("Out of Office: back on Monday"), id="out of office"),
        pytest.param(mails.answer("Re: Out of the office"), id="after Re:"),
        pytest.param(mails.answer("Abwesenheitsnotiz"), id="German"),
        pytest.param(mails.answer("Réponse automatique : Les prix"), id="French"),
        pytest.param(mails.answer("Автоответ: в отпуске до 1 декабря"), id="Russian"),
        pytest.param(mails.answer("=?utf-8?B?0JDQstGC0L7QvtGC0LLQtdGC?="), id="an encoded subject"),
        pytest.param(mails.answer().replace(b"<ann@example.com>\r\nDate", b"<>\r\nDate"), id="from nobody"),
        pytest.param(mails.RECEIPT, id="a receipt"),
        pytest.param(mails.ON_A_LIST, id="a list"),
    ],
)
def test_what_a_machine_answers_is_no_reply(content: bytes) -> None:
    assert told(content) == (Sort.AUTOMATIC, [])


def test_a_mail_of_a_stranger_says_nothing() -> None:
    assert told(mails.FROM_A_STRANGER) == (Sort.OTHER, [])


def test_one_mail_tells_the_same_however_it_is_delivered() -> None:
    first = read(mails.answer(), NOW)
    again = read(b"Received: from elsewhere\r\n" + mails.answer().replace(b"\r\n", b"\n"), NOW + timedelta(days=1))

    assert first == again


def test_two_mails_without_a_name_of_their_own_are_two_when_they_differ() -> None:
    one, other = mails.QMAIL, mails.QMAIL.replace(b"192.0.2.9", b"192.0.2.8")

    assert read(one, NOW).reports[0].id != read(other, NOW).reports[0].id


def test_no_mail_is_of_the_future() -> None:
    content = mails.answer().replace(b"23 Nov 2026 09:45:00", b"23 Nov 2036 09:45:00")

    assert read(content, NOW).reports[0].at == NOW


@pytest.mark.parametrize(
    "content", [mails.BROKEN, b"", b"\x00", b"From: a\r\n\r\n", b"Content-Type: message/rfc822\r\n\r\n"]
)
def test_a_broken_mail_is_read_as_far_as_it_goes(content: bytes) -> None:
    assert read(content, NOW).reports == ()


@given(st.sampled_from([mails.failed("5.1.1"), mails.arf("abuse"), mails.EXIM, mails.answer()]), st.data())
def test_a_mail_that_lost_a_piece_on_its_way_is_still_read(content: bytes, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(begin, len(content)))

    assert isinstance(read(content[:begin] + content[end:], NOW), Reading)
