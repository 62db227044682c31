"""A mailing as code: one message to an audience, sent once to each of its leads, without a road."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from nurture.calendar import Window
from nurture.campaign import Campaign, Cap, Purpose, State
from nurture.durations import Length, days
from nurture.steps import Message, Send
from nurture.tracking.switches import Track


class Mailing(BaseModel):
    """The message `template` to all who are in the `audience` when it comes by them.

    What `topic`, `purpose`, quiet hours, windows, caps and `approval` mean is what they mean for a campaign; whoever cannot
    get it within `expires_after` of its beginning does not get it. Over the length of `spread` its leads get it one after
    the other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    template: str
    audience: str
    channel: str | tuple[str, ...] = "email"
    title: str = ""
    purpose: Purpose = "marketing"
    legal_basis: str = ""
    topic: str = "news"
    quiet: Window | None = None
    window: Window | None = None
    cap: Cap | None = None
    on_unknown: Literal["hold", "resend"] | None = None
    expires_after: Length = days(3)
    spread: Length = days(0)
    approval: bool = False
    track: Track | None = None

    @property
    def message(self) -> Message:
        """The mailing as the step that sends it."""
        return Send(template=self.template, channel=self.channel, on_unknown=self.on_unknown)

    @property
    def campaign(self) -> Campaign:
        """The campaign by whose rules it is sent."""
        return Campaign(
            self.key,
            [State("mailing", [self.message])],
            title=self.title,
            purpose=self.purpose,
            legal_basis=self.legal_basis,
            topic=self.topic,
            quiet=self.quiet,
            window=self.window,
            cap=self.cap,
            expires_after=self.expires_after,
            approval=self.approval,
            track=self.track,
        )
