"""A message as one reader gets it, with all that is to be said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from email.utils import parseaddr

from nurture.catalogue import Catalogue
from nurture.channels import Envelope
from nurture.channels.mail import compose
from nurture.content import Tags
from nurture.errors import NurtureError
from nurture.gallery.readers import Reader
from nurture.linting import Finding, Linter, letters_of
from nurture.settings import Settings
from nurture.templates import Rendered, Templates
from nurture.templates.samples import sample_context


@dataclass(frozen=True)
class Shown:
    """One message in its words and headers; with a `fault` there are none. `asked` is the language that was asked for."""

    key: str
    asked: str
    languages: Sequence[str]
    tags: Tags
    fault: str = ""
    language: str = ""
    subject: str = ""
    html: str = ""
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    source: str = ""
    findings: Sequence[Finding] = ()


class Showing:
    """Renders messages and makes them into mails, as they would be sent."""

    def __init__(self, settings: Settings, templates: Templates, catalogue: Catalogue) -> None:
        self._settings, self._templates, self._catalogue = settings, templates, catalogue
        self._letters = letters_of(catalogue)

    def show(self, key: str, language: str, reader: Reader) -> Shown:
        """The message in that language, or in the reader's own."""
        shown = Shown(key, language, self._templates.languages(key), self._templates.tags(key))
        findings = tuple(Linter(self._settings, self._templates, self._catalogue).of_message(key))
        context = sample_context(key, reader.profile, reader.stage, self._settings)
        try:
            rendered = self._templates.render(key, language or reader.profile.get("language"), context)
            content = compose(self._envelope(key, rendered, reader, context["links"]["unsubscribe"])).content
        except NurtureError as error:
            return Shown(**vars(shown) | {"fault": str(error), "findings": findings})
        headers = {name: str(value) for name, value in message_from_bytes(content, policy=default).items()}
        made = {
            "language": rendered.language,
            "subject": rendered.subject,
            "html": rendered.html,
            "text": rendered.text,
            "headers": headers,
            "size": len(rendered.html.encode()),
            "source": content.decode("ascii"),
        }
        return Shown(**vars(shown) | made | {"findings": findings})

    def _envelope(self, key: str, rendered: Rendered, reader: Reader, unsubscribe: str | None) -> Envelope:
        letters = self._letters.get(key)
        marketing = unsubscribe is not None and (letters is None or letters.marketing)
        one_click = {"List-Unsubscribe": f"<{unsubscribe}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        domain = parseaddr(self._settings.sender)[1].rpartition("@")[2]
        return Envelope(
            key="preview",
            message_id=f"<preview@{domain}>",
            date=datetime.now(UTC),
            sender=self._settings.sender,
            recipient=str(reader.profile.get("email") or "reader@example.com"),
            subject=rendered.subject,
            html=rendered.html,
            text=rendered.text,
            language=rendered.language,
            headers=one_click if marketing else {},
        )
