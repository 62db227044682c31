"""Mail over SMTP: kept connections, one verdict a message, and never a second try."""

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Literal
from urllib.parse import quote

import aiosmtplib
import httpx
from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPResponse,
    SMTPResponseException,
    SMTPServerDisconnected,
)
from pydantic import SecretStr

from nurture.channels import Envelope, Receipt
from nurture.channels.mail import Mail, bare, compose, of_its_own
from nurture.channels.replies import CLOSING, Stage, bad_credentials, provider_id, refusal, scrubbed
from nurture.errors import Ambiguous, ProviderUnavailable

Security = Literal["none", "starttls", "tls"]
MESSAGES_PER_CONNECTION = 100  # relays close a connection after some hundred messages
TRUSTED_REST = 5.0  # seconds a kept connection may rest and still be used without asking
LEADING_DOT = re.compile(rb"(?m)^\.")


class SmtpChannel:
    """E-mail through one relay, over at most `connections` kept connections.

    `send` ends within `timeout` seconds: half of them for everything up to the relay's go-ahead, waiting for a free
    connection included, the rest for its answer to the content. `lookup_url` knows which messages were accepted; `sign`
    puts a signature before a mail.
    """

    name = "email"

    def __init__(
        self,
        host: str,
        port: int,
        *,
        username: str | None = None,
        password: SecretStr | None = None,
        security: Security = "starttls",
        connections: int = 8,
        timeout: float = 10.0,
        lookup_url: str | None = None,
        tls: ssl.SSLContext | None = None,
        local_name: str | None = None,
        sign: Callable[[Mail, datetime], Mail] | None = None,
        return_path: str | None = None,
    ) -> None:
        self._relay = f"{host}:{port}"
        self._patience = timeout / 2
        self._lookup_url = lookup_url.rstrip("/") if lookup_url else None
        self._sign = sign
        self._http: httpx.AsyncClient | None = None
        self._return_path = return_path
        self._free: asyncio.LifoQueue[_Line] = asyncio.LifoQueue()  # the last used comes first, the rest may fall idle
        tls = tls or (ssl.create_default_context() if security != "none" else None)
        for _ in range(connections):
            smtp = aiosmtplib.SMTP(
                hostname=host,
                port=port,
                username=username,
                password=password.get_secret_value() if password else None,
                use_tls=security == "tls",
                start_tls=security == "starttls",
                tls_context=tls,
                local_hostname=local_name or socket.gethostname(),  # the default looks our name up, which may hang
                timeout=self._patience,
            )
            self._free.put_nowait(_Line(smtp))

    async def send(self, envelope: Envelope) -> Receipt:
        """Hand the mail to the relay, once; without an answer after the closing dot the outcome is Ambiguous."""
        mail = compose(envelope)
        if self._sign is not None:
            mail = self._sign(mail, envelope.date)
        if self._return_path is not None:
            mail = replace(mail, sender=of_its_own(self._return_path, envelope.message_id))
        deadline = asyncio.get_running_loop().time() + self._patience
        line = await self._free_line(deadline)
        try:
            await self._offer(line, mail, deadline)
            reply = await self._hand_over(line, mail)
        finally:
            self._free.put_nowait(line)
        return Receipt(scrubbed(reply.message, mail), provider_id(reply.message))

    async def lookup(self, message_id: str) -> bool | None:
        """Ask `lookup_url` for the Message-ID: 200 is yes, 404 is no, anything else tells nothing."""
        if self._lookup_url is None:
            return None
        if self._http is None:
            self._http = httpx.AsyncClient(timeout=self._patience, trust_env=False)
        try:
            response = await self._http.get(f"{self._lookup_url}/{quote(bare(message_id), safe='')}")
        except httpx.HTTPError:
            return None
        return {200: True, 404: False}.get(response.status_code)

    async def close(self) -> None:
        """Take leave of the relay on every connection that is not in use."""
        resting = [self._free.get_nowait() for _ in range(self._free.qsize())]
        for line in resting:
            await line.quit()
            self._free.put_nowait(line)
        if self._http is not None:
            await self._http.aclose()

    async def _free_line(self, deadline: float) -> "_Line":
        try:
            async with asyncio.timeout_at(deadline):
                return await self._free.get()
        except TimeoutError as error:
            raise ProviderUnavailable(
                f"all connections to {self._relay} stayed busy for {self._patience:g} s", cause="ours"
            ) from error

    async def _offer(self, line: "_Line", mail: Mail, deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await line.offer(mail)
        except SMTPResponseException as error:
            raise self._unwelcome(error, mail) from None  # the reply may repeat an address or our login
        except (SMTPException, OSError) as error:
            raise self._unreached(error) from error

    async def _hand_over(self, line: "_Line", mail: Mail) -> SMTPResponse:
        try:
            reply = await line.hand_over(mail.content)
        except SMTPResponseException:
            raise self._unanswered("an answer that is no SMTP reply came") from None  # it may repeat an address
        except (SMTPException, OSError) as error:
            if not line.dot_sent:
                raise self._unreached(error) from error
            raise self._unanswered("no answer came") from error
        match reply.code // 100:
            case 2:
                return reply
            case 4 | 5:
                raise refusal(Stage.CONTENT, reply.code, reply.message, mail)
            case _:
                raise self._unanswered("an answer that means nothing came")

    def _unwelcome(self, error: SMTPResponseException, mail: Mail) -> ProviderUnavailable:
        """The relay would not talk to us: no message is to blame."""
        if isinstance(error, SMTPAuthenticationError) and error.code >= 500:
            return bad_credentials(error.code)
        reply = "" if isinstance(error, SMTPAuthenticationError) else scrubbed(error.message, mail)
        return ProviderUnavailable(
            f"{self._relay} answered {error.code} before a message was offered",
            code=str(error.code), reply=reply, cause="provider",
        )  # fmt: skip

    def _unreached(self, error: Exception) -> ProviderUnavailable:
        if isinstance(error, TimeoutError):
            return ProviderUnavailable(
                f"{self._relay} did not answer within {self._patience:g} s; nothing was handed over", cause="provider"
            )
        return ProviderUnavailable(
            f"no connection to {self._relay}: {error}; nothing was handed over", cause="provider"
        )

    def _unanswered(self, what: str) -> Ambiguous:
        return Ambiguous(
            f"handed over to {self._relay}, and {what} within {self._patience:g} s: perhaps sent, perhaps not"
        )


class _Line:
    """One connection of the pool, kept from message to message and dropped at any trouble."""

    def __init__(self, smtp: aiosmtplib.SMTP) -> None:
        self.dot_sent = False
        self._smtp = smtp
        self._clean = True
        self._carried = 0
        self._rests_since = 0.0

    async def offer(self, mail: Mail) -> None:
        """MAIL, RCPT and DATA up to the go-ahead, each a command of its own, so that a refusal has its stage."""
        self.dot_sent = False
        self._expect(2, Stage.SENDER, await self._begin(mail), mail)
        self._expect(2, Stage.RECIPIENT, await self._command("RCPT", f"TO:<{mail.recipient}>"), mail)
        self._expect(3, Stage.DATA, await self._command("DATA"), mail)

    async def hand_over(self, content: bytes) -> SMTPResponse:
        """The content and its closing dot; what the relay answers."""
        try:
            if self._smtp.protocol is None:
                raise SMTPServerDisconnected("connection lost")
            protocol = self._smtp.protocol
            protocol.write(LEADING_DOT.sub(b"..", content))
            await asyncio.sleep(0)  # one turn of the loop: a connection already lost shows before the dot goes out
            protocol.write(b".\r\n")
            self.dot_sent = True
            reply = await protocol.read_response(timeout=self._smtp.timeout)
        except BaseException:
            self._smtp.close()
            raise
        self._clean = True  # with the dot the relay has done with this message, whatever it answered
        self._carried += 1
        self._rests_since = asyncio.get_running_loop().time()
        return reply

    async def quit(self) -> None:
        """Say good-bye, if anybody listens."""
        if self._smtp.is_connected:
            with contextlib.suppress(SMTPException, OSError):
                await self._smtp.quit(timeout=1)
        self._smtp.close()

    async def _begin(self, mail: Mail) -> SMTPResponse:
        """MAIL on the kept connection, or, when that one is found dead, on a new one: nothing was handed over yet."""
        if await self._usable():
            with contextlib.suppress(SMTPServerDisconnected):
                reply = await self._mail(mail)
                if reply.code != CLOSING:
                    return reply
        await self._connect()
        return await self._mail(mail)

    async def _mail(self, mail: Mail) -> SMTPResponse:
        self._clean = False
        size = [f"SIZE={len(mail.content)}"] if self._smtp.supports_extension("size") else []
        return await self._command("MAIL", f"FROM:<{mail.sender}>", *size)

    async def _usable(self) -> bool:
        """Whether the kept connection still serves; one that rests long, or was left in mid-message, is asked."""
        if not self._smtp.is_connected or self._carried >= MESSAGES_PER_CONNECTION:
            return False
        if self._clean and asyncio.get_running_loop().time() - self._rests_since < TRUSTED_REST:
            return True
        try:
            async with asyncio.timeout((self._smtp.timeout or 1) / 2):
                return (await self._command("RSET")).code == 250
        except (SMTPException, TimeoutError):
            return False

    async def _connect(self) -> None:
        await self.quit()
        self._carried = 0
        try:
            await self._smtp.connect()
            if self._smtp.is_ehlo_or_helo_needed:
                await self._smtp.ehlo()
        except BaseException:
            self._smtp.close()
            raise

    async def _command(self, *words: str) -> SMTPResponse:
        try:
            return await self._smtp.execute_command(*(word.encode("ascii") for word in words))
        except BaseException:  # a reply that comes too late would be taken for the next one
            self._smtp.close()
            raise

    def _expect(self, kind: int, stage: Stage, reply: SMTPResponse, mail: Mail) -> None:
        if reply.code // 100 != kind:
            raise refusal(stage, reply.code, reply.message, mail)
