"""Whether a machine answered: an autoresponder, somebody's absence, a receipt, a list. It is no reply of the reader's."""

import re
from email.message import Message

from nurture.returns.parts import header

SAID_TO_BE = ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply-From", "X-Auto-Response-Suppress")
NOT_OF_PEOPLE = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})
SUBJECT = re.compile(
    r"\W*(re: *)?\W*(auto[ -]?(matic(ally)?)? ?-?(repl(y|ied)|respon(se|der)|generated)|autoreply|autoresponse"
    r"|out[ -]of[ -](the[ -])?office|ooo\b|on (vacation|holiday|leave)\b|i am (currently )?(away|out of)"
    r"|abwesenheits?|automatische (antwort|r[üu]ckmeldung)|ich bin nicht (im|am)"
    r"|r[ée]ponse automatique|absence du bureau|absent\(e\)|respuesta autom[áa]tica|fuera de (la )?oficina"
    r"|risposta automatica|fuori ufficio|automatisch antwoord|afwezig|resposta autom[áa]tica"
    r"|автоответ|автоматический ответ|нет на месте|в отпуске|отсутствую|вне офиса)",
    re.IGNORECASE,
)


def automatic(mail: Message) -> bool:
    """Whether nobody wrote it (RFC 3834, and what autoresponders do that know of no standard)."""
    submitted = header(mail, "Auto-Submitted").lower()
    if submitted and not submitted.startswith("no"):
        return True
    if any(name in mail for name in SAID_TO_BE) or header(mail, "Precedence").lower() in NOT_OF_PEOPLE:
        return True
    if "List-Id" in mail or header(mail, "Return-Path") == "<>":
        return True
    receipt = mail.get_content_type() == "multipart/report"
    return receipt or SUBJECT.match(header(mail, "Subject")) is not None
