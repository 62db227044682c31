"""Mails that come back, shaped as mail servers, providers and people send them; the names in them are nobody's."""

NAME = "5f0c1d2e3a4b5968778695a4b3c2d1e0"
OURS = f"<{NAME}@mail.example.org>"
HEADERS_OF_OURS = f"""\
Received: from out.example.org by mx.example.com; Mon, 23 Nov 2026 09:00:00 +0000
From: Example <hello@example.org>
To: ann@example.com
Subject: The price list you asked for
Message-ID: {OURS}
X-Nurture-Key: 0c1d/greet
"""


def mail(head: str, body: str = "", kind: str = "text/plain; charset=utf-8") -> bytes:
    """A mail of one part, with the line ends that the wire has."""
    return f"{head.strip()}\nMIME-Version: 1.0\nContent-Type: {kind}\n\n{body}".replace("\n", "\r\n").encode()


def dsn(fields: str, *, from_: str = "MAILER-DAEMON@mx.example.com (Mail Delivery System)", back: str = HEADERS_OF_OURS,
        how: str = "text/rfc822-headers") -> bytes:  # fmt: skip
    """A delivery status notification (RFC 3464) as Postfix writes it."""
    head = f"""\
Return-Path: <>
Date: Mon, 23 Nov 2026 09:00:05 +0000
From: {from_}
Subject: Undelivered Mail Returned to Sender
To: hello@example.org
Auto-Submitted: auto-replied
Message-ID: <20261123090005.4F1A2@mx.example.com>"""
    body = f"""\
This is a MIME-encapsulated message.

--4F1A2.1
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.com.

I'm sorry to have to inform you that your message could not be delivered.

--4F1A2.1
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com
X-Postfix-Queue-ID: 4F1A2
Arrival-Date: Mon, 23 Nov 2026 09:00:01 +0000

Final-Recipient: rfc822; ann@example.com
Original-Recipient: rfc822;ann@example.com
{fields.strip()}

--4F1A2.1
Content-Description: Undelivered Message Headers
Content-Type: {how}

{back}
--4F1A2.1--
"""
    return mail(head, body, 'multipart/report; report-type=delivery-status; boundary="4F1A2.1"')


def failed(status: str, diagnostic: str = "") -> bytes:
    """A delivery that failed, with that status."""
    return dsn(f"Action: failed\nStatus: {status}\nDiagnostic-Code: {diagnostic or 'smtp; 550 ' + status}")


def arf(kind: str, back: str = HEADERS_OF_OURS) -> bytes:
    """A feedback report (RFC 5965) as mailbox providers send it."""
    head = """\
Return-Path: <feedback@fbl.example.net>
Date: Mon, 23 Nov 2026 09:30:00 +0000
From: <feedback@fbl.example.net>
Subject: FW: The price list you asked for
To: <abuse@example.org>
Message-ID: <fbl-77@fbl.example.net>"""
    body = f"""\
--part
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report for an email message received from 192.0.2.1.

--part
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: ExampleFeedback/1.0
Version: 1
Original-Mail-From: <hello@example.org>
Arrival-Date: Mon, 23 Nov 2026 09:00:00 GMT
Source-IP: 192.0.2.1

--part
Content-Type: message/rfc822
Content-Disposition: inline

{back}
Body of the message
--part--
"""
    return mail(head, body, 'multipart/report; report-type=feedback-report; boundary="part"')


def answer(
    subject: str = "Re: The price list you asked for", more: str = "", body: str = "Yes, please call me."
) -> bytes:
    """What a reader's mail program sends when it answers."""
    head = f"""\
Return-Path: <ann@example.com>
Date: Mon, 23 Nov 2026 09:45:00 +0000
From: Ann <ann@example.com>
To: hello@example.org
Subject: {subject}
Message-ID: <reply-1@example.com>
In-Reply-To: {OURS}
References: {OURS}
{more}"""
    return mail(head, body)


EXIM = mail(
    """\
Return-path: <>
Date: Mon, 23 Nov 2026 09:00:05 +0000
From: Mail Delivery System <Mailer-Daemon@relay.example.net>
To: hello@example.org
X-Failed-Recipients: ann@example.com
Auto-Submitted: auto-replied
Subject: Mail delivery failed: returning message to sender
Message-ID: <E1abc-0001@relay.example.net>""",
    f"""\
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ann@example.com
    host mx.example.com [192.0.2.7]
    SMTP error from remote mail server after RCPT TO:<ann@example.com>:
    550 No such user here

------ This is a copy of the message, including all the headers. ------

{HEADERS_OF_OURS}
""",
)
QMAIL = mail(
    """\
Return-Path: <>
Date: 23 Nov 2026 09:00:05 -0000
From: MAILER-DAEMON@qmail.example.net
To: hello@example.org
Subject: failure notice""",
    f"""\
Hi. This is the qmail-send program at qmail.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ann@example.com>:
192.0.2.9 does not like recipient.
Remote host said: 552 5.2.2 mailbox is full
Giving up on 192.0.2.9.

--- Below this line is a copy of the message.

{HEADERS_OF_OURS}
""",
)
BY_ITS_ADDRESS = mail(
    f"""\
Return-Path: <>
Delivered-To: bounces+{NAME}@example.org
Date: Mon, 23 Nov 2026 09:00:05 +0000
From: MAILER-DAEMON@old.example.net
To: bounces@example.org
X-Failed-Recipients: ann@example.com
Subject: Delivery failure""",
    """\
Your message could not be delivered to:

  ann@example.com

550 5.1.1 User unknown
""",
)
RECEIPT = mail(
    f"""\
Return-Path: <ann@example.com>
From: Ann <ann@example.com>
To: hello@example.org
Subject: Read: The price list you asked for
Message-ID: <read-1@example.com>
In-Reply-To: {OURS}""",
    f"""\
--b
Content-Type: text/plain

Your message was displayed.
--b
Content-Type: message/disposition-notification

Final-Recipient: rfc822;ann@example.com
Original-Message-ID: {OURS}
Disposition: manual-action/MDN-sent-manually; displayed

--b--
""",
    'multipart/report; report-type=disposition-notification; boundary="b"',
)
ON_A_LIST = answer(more="List-Id: <talk.example.net>")
FROM_A_STRANGER = mail(
    "From: bob@example.net\nTo: hello@example.org\nSubject: Hello\nMessage-ID: <1@example.net>", "Hi!"
)
BROKEN = b"Content-Type: multipart/report; report-type=delivery-status; boundary=\r\nFrom: \xff\xfe =?no-such?q?x?=\r\n\r\n--\x00"
