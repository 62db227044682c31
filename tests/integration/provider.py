"""Providers: a real HTTP server on this machine that asks what each asks for, and answers as each documents."""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from standardwebhooks import Webhook

from nurture.channels.aws import Signer

KEY = "key-0123456789"
ACCOUNT = "AC0123456789"
WEBHOOK_KEY = f"whsec_{b64encode(KEY.encode()).decode()}"
BAD_ADDRESS = "nobody@example.org"
BAD_NUMBER = "+4930000000"
BAD_CHAT = "404"
BAD_WORDS = "forbidden words"


class Call(NamedTuple):
    """One request, as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> dict[str, Any]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


class Reply(NamedTuple):
    """An answer; None for the body is none at all."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = {}


class Taken(NamedTuple):
    """A message as the provider understood it."""

    to: str
    sender: str
    subject: str
    html: str
    text: str
    headers: Mapping[str, str]
    tracked: bool
    files: Mapping[str, bytes] = {}


@dataclass
class Desk:
    """A provider's side: what it took, and answers that come in the place of its own."""

    speak: Callable[["Desk", Call], Reply]
    took: list[Taken] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    instead: list[Reply | None] = field(default_factory=list)
    keys: dict[str, bytes] = field(default_factory=dict)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Desk"]:
        """Take requests on a free port."""

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await self._take(reader, writer)
            finally:
                writer.close()

        async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield self

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        method, path, _ = head[0].split(" ")
        call = Call(method, path, headers, await reader.readexactly(int(headers.get("content-length", 0))))
        self.calls.append(call)
        reply = self.instead.pop(0) if self.instead else self.speak(self, call)
        if reply is None:  # it hangs up without a word
            return
        body = b"" if reply.body is None else json.dumps(reply.body).encode()
        lines = [f"HTTP/1.1 {reply.status} As told", *(f"{name}: {value}" for name, value in reply.headers.items())]
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close", "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()


def sendgrid(desk: Desk, call: Call) -> Reply:
    """POST /v3/mail/send."""
    if call.headers.get("authorization") != f"Bearer {KEY}":
        return Reply(401, {"errors": [{"message": "The provided authorization grant is invalid", "field": None}]})
    given = call.json
    (personal,) = given["personalizations"]
    (recipient,) = personal["to"]
    if recipient["email"] == BAD_ADDRESS:
        fault = {
            "message": f"Does not contain a valid address: {BAD_ADDRESS}",
            "field": "personalizations.0.to.0.email",
        }
        return Reply(400, {"errors": [fault]})
    if not given["subject"].isascii():
        return Reply(400, {"errors": [{"message": "The subject is bad", "field": "subject"}]})
    parts = {one["type"]: one["value"] for one in given["content"]}
    tracked = any(one["enable"] for one in given["tracking_settings"].values())
    sender = f"{given['from']['name']} <{given['from']['email']}>"
    headers = given["headers"]
    desk.took.append(
        Taken(recipient["email"], sender, given["subject"], parts["text/html"], parts["text/plain"], headers, tracked,
              _files(given.get("attachments", []), "filename"))
    )  # fmt: skip
    return Reply(202, None, {"X-Message-Id": "sg-1"})


def mailgun(desk: Desk, call: Call) -> Reply:
    """POST /v3/{domain}/messages.mime and GET /v3/{domain}/events."""
    if call.headers.get("authorization") != f"Basic {b64encode(f'api:{KEY}'.encode()).decode()}":
        return Reply(401, {"message": "Invalid private key"})
    if call.method == "GET":
        known = [one for one in desk.took if one.headers["Message-ID"].strip("<>") in call.path.replace("%40", "@")]
        return Reply(200, {"items": [{"event": "accepted"} for _ in known]})
    assert call.path == "/v3/mg.example.org/messages.mime"
    form = _form(call)
    if form["to"] == BAD_ADDRESS.encode():
        return Reply(400, {"message": "'to' parameter is not a valid address. please check documentation"})
    mail = message_from_bytes(form["message"])
    if not str(mail["Subject"]).isascii() or "=?" in mail["Subject"]:
        return Reply(400, {"message": "the subject is bad"})
    html, text = _part(mail, "text/html"), _part(mail, "text/plain")
    headers = {name: str(value) for name, value in mail.items()}
    tracked = form["o:tracking"] != b"no"
    desk.took.append(
        Taken(form["to"].decode(), mail["From"], mail["Subject"], html, text, headers, tracked, _files_of(mail))
    )
    return Reply(200, {"id": "<mg-1@mg.example.org>", "message": "Queued. Thank you."})


def postmark(desk: Desk, call: Call) -> Reply:
    """POST /email and GET /messages/outbound."""
    if call.headers.get("x-postmark-server-token") != KEY:
        return Reply(401, {"ErrorCode": 10, "Message": "The server token you provided is not valid"})
    if call.method == "GET":
        known = [one for one in desk.took if f"metadata_message={_local(one.headers['Message-ID'])}" in call.path]
        return Reply(200, {"TotalCount": len(known), "Messages": []})
    given = call.json
    if given["To"] == BAD_ADDRESS:
        return Reply(422, {"ErrorCode": 406, "Message": f"{BAD_ADDRESS} is marked as inactive"})
    if not given["Subject"].isascii():
        return Reply(422, {"ErrorCode": 300, "Message": "Invalid email request: the subject is bad"})
    assert given["MessageStream"] == "broadcast"
    headers = {one["Name"]: one["Value"] for one in given["Headers"]}
    tracked = given["TrackOpens"] or given["TrackLinks"] != "None"
    desk.took.append(
        Taken(given["To"], given["From"], given["Subject"], given["HtmlBody"], given["TextBody"], headers, tracked,
              _files(given.get("Attachments", []), "Name", "Content"))
    )  # fmt: skip
    return Reply(200, {"ErrorCode": 0, "Message": "OK", "MessageID": "pm-1", "To": given["To"]})


def amazon_ses(desk: Desk, call: Call) -> Reply:
    """POST /v2/email/outbound-emails, signed."""
    headers = {name: call.headers[name] for name in ("content-type", "host", "x-amz-date")}
    now = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    signer = Signer("AKIA", KEY, "us-east-1", "ses")
    if call.headers["authorization"] != signer.authorization("POST", call.path, headers, call.body, now):
        text = "The request signature we calculated does not match the signature you provided."
        return Reply(403, {"message": text}, {"x-amzn-ErrorType": "InvalidSignatureException"})
    assert call.path == "/v2/email/outbound-emails"
    given = call.json
    (recipient,) = given["Destination"]["ToAddresses"]
    if recipient == BAD_ADDRESS:
        return Reply(400, {"message": f"Illegal address: {BAD_ADDRESS}"}, {"x-amzn-ErrorType": "BadRequestException"})
    mail = message_from_bytes(b64decode(given["Content"]["Raw"]["Data"]))
    if "=?" in mail["Subject"]:
        return Reply(400, {"message": "the content is bad"}, {"x-amzn-ErrorType": "MessageRejected:http://ses"})
    html, text = _part(mail, "text/html"), _part(mail, "text/plain")
    headers = {name: str(value) for name, value in mail.items()}
    taken = Taken(recipient, mail["From"], mail["Subject"], html, text, headers, tracked=False, files=_files_of(mail))
    desk.took.append(taken)
    assert given["EmailTags"] == [{"Name": "nurture", "Value": _local(headers["Message-ID"])}]
    return Reply(200, {"MessageId": "ses-1"})


def resend(desk: Desk, call: Call) -> Reply:
    """POST /emails, once for each idempotency key."""
    if call.headers.get("authorization") != f"Bearer {KEY}":
        return Reply(401, {"statusCode": 401, "name": "missing_api_key", "message": "Missing API key"})
    given, key = call.json, call.headers["idempotency-key"]
    if key in desk.keys:
        if desk.keys[key] != call.body:
            return Reply(409, {"name": "invalid_idempotent_request", "message": "the key was used for another payload"})
        return Reply(200, {"id": "re-1"})
    if given["to"] == [BAD_ADDRESS]:
        return Reply(422, {"name": "validation_error", "message": "Invalid `to` field."})
    if not given["subject"].isascii():
        return Reply(422, {"name": "validation_error", "message": "Invalid `subject` field."})
    desk.keys[key] = call.body
    desk.took.append(
        Taken(
            given["to"][0],
            given["from"],
            given["subject"],
            given["html"],
            given["text"],
            given["headers"],
            tracked=False,
            files=_files(given.get("attachments", []), "filename"),
        )
    )
    return Reply(200, {"id": "re-1"})


def unisender_go(desk: Desk, call: Call) -> Reply:
    """POST …/email/send.json."""
    if call.headers.get("x-api-key") != KEY:
        return Reply(401, {"status": "error", "code": 114, "message": "User with this key is not found"})
    given = call.json["message"]
    (recipient,) = given["recipients"]
    if recipient["email"] == BAD_ADDRESS:
        failed = {BAD_ADDRESS: "permanent_unavailable"}
        return Reply(400, {"status": "error", "code": 204, "message": "No valid recipients", "failed_emails": failed})
    if not given["subject"].isascii():
        return Reply(400, {"status": "error", "code": 150, "message": "the subject is bad"})
    sender = f"{given['from_name']} <{given['from_email']}>"
    body, tracked = given["body"], bool(given["track_links"] or given["track_read"])
    desk.took.append(
        Taken(recipient["email"], sender, given["subject"], body["html"], body["plaintext"], given["headers"], tracked,
              _files(given.get("attachments", []), "name"))
    )  # fmt: skip
    return Reply(200, {"status": "success", "job_id": "ug-1", "emails": [recipient["email"]]})


def twilio(desk: Desk, call: Call) -> Reply:
    """POST /2010-04-01/Accounts/{sid}/Messages.json."""
    if call.headers.get("authorization") != f"Basic {b64encode(f'{ACCOUNT}:{KEY}'.encode()).decode()}":
        return Reply(401, {"code": 20003, "message": "Authenticate", "status": 401})
    assert call.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    given = call.form
    if given["To"] == BAD_NUMBER:
        return Reply(
            400, {"code": 21211, "message": f"The 'To' number {BAD_NUMBER} is not a valid phone number.", "status": 400}
        )
    if BAD_WORDS in given["Body"]:
        return Reply(400, {"code": 21617, "message": "The concatenated message body exceeds 1600", "status": 400})
    desk.took.append(Taken(given["To"], given["From"], "", "", given["Body"], given, tracked=False))
    return Reply(201, {"sid": "SM1", "status": "queued", "error_code": None})


def smsc(desk: Desk, call: Call) -> Reply:
    """POST /sys/send.php with fmt=3: the status is always 200."""
    given = call.form
    assert (call.path, given["fmt"], given["charset"]) == ("/sys/send.php", "3", "utf-8")
    if (given["login"], given["psw"]) != (ACCOUNT, KEY):
        return Reply(200, {"error": "authorise error", "error_code": 2})
    if given["phones"] == BAD_NUMBER.removeprefix("+"):
        return Reply(200, {"error": f"invalid number {given['phones']}", "error_code": 7})
    if BAD_WORDS in given["mes"]:
        return Reply(200, {"error": "message is denied", "error_code": 6, "id": 1})
    desk.took.append(Taken(f"+{given['phones']}", given["sender"], "", "", given["mes"], given, tracked=False))
    return Reply(200, {"id": given["id"], "cnt": 1})


def telegram(desk: Desk, call: Call) -> Reply:
    """POST /bot{token}/sendMessage."""
    if call.path != f"/bot{KEY}/sendMessage":
        return Reply(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
    given = call.json
    if given["chat_id"] == BAD_CHAT:
        return Reply(403, {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"})
    if BAD_WORDS in given["text"]:
        return Reply(400, {"ok": False, "error_code": 400, "description": "Bad Request: message is too long"})
    desk.took.append(Taken(given["chat_id"], "", "", "", given["text"], {}, tracked=False))
    return Reply(200, {"ok": True, "result": {"message_id": 17}})


def messenger(desk: Desk, call: Call) -> Reply:
    """A service behind a signed webhook, which takes each id once."""
    given, key = call.json["data"], call.headers["webhook-id"]
    signed = datetime.fromtimestamp(int(call.headers["webhook-timestamp"]), UTC)
    if call.headers["webhook-signature"] != Webhook(WEBHOOK_KEY).sign(key, signed, call.body.decode()):
        return Reply(401)
    if given["to"] == BAD_NUMBER:
        return Reply(410)
    if BAD_WORDS in given["text"]:
        return Reply(422)
    if key not in desk.keys:
        desk.keys[key] = call.body
        desk.took.append(Taken(given["to"], "", "", "", given["text"], {}, tracked=False))
    return Reply(202)


def _form(call: Call) -> dict[str, bytes]:
    """The parts of a multipart form by name."""
    whole = b"Content-Type: " + call.headers["content-type"].encode() + b"\r\n\r\n" + call.body
    parts = message_from_bytes(whole).get_payload()
    assert isinstance(parts, list)
    boundary = b"--" + call.headers["content-type"].partition("boundary=")[2].encode()
    found: dict[str, bytes] = {}
    for piece in call.body.split(boundary)[1:-1]:
        head, _, content = piece.partition(b"\r\n\r\n")
        name = head.partition(b'name="')[2].partition(b'"')[0].decode()
        found[name] = content.removesuffix(b"\r\n")
    assert len(found) == len(parts)
    return found


def _files_of(mail: Message) -> dict[str, bytes]:
    return {str(one.get_filename()): _bytes(one) for one in mail.walk() if one.get_filename()}


def _files(given: list[dict[str, str]], name: str, content: str = "content") -> dict[str, bytes]:
    """What goes along, by its names."""
    return {one[name]: b64decode(one[content]) for one in given}


def _bytes(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def _part(mail: Message, kind: str) -> str:
    part = next(one for one in mail.walk() if one.get_content_type() == kind)
    return _bytes(part).decode().replace("\r\n", "\n").rstrip("\n")


def _local(message_id: str) -> str:
    return message_id.strip("<>").partition("@")[0]
