"""The one tree of errors; the bit that matters is `permanent`: never try again, or try again later.

NurtureError
├── BadInput                 what was given cannot be used: the text names the field and the remedy
│   ├── CampaignFaults       campaigns, scores or templates that do not hold, every fault with its place
│   └── BadSettings          a setting that cannot be used
├── NotFound                 an unknown lead, campaign, version, journey or template
├── Refused                  a rule says no: re-entry, a paused campaign, a key without the scope
├── Unavailable              store, Temporal or provider out of reach (try again)
│   ├── DatabaseAway         the database is
│   └── NamesAway            the domain name system is
└── SendError                a message did not go out
    ├── AddressRefused       this address takes no mail: suppress it
    ├── MessageRefused       the message or its sender was refused: the address is not to blame
    ├── ProviderUnavailable  trouble that passes (try again)
    └── Ambiguous            handed over, and no answer came: perhaps sent
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, TypeAlias


class NurtureError(Exception):
    """What went wrong, whose fault it is and what to do about it."""

    permanent = True


class BadInput(NurtureError):
    """What was given cannot be used; `field` names the culprit where there is one."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class CampaignFaults(BadInput):
    """Every fault found, one line each: `place: what is wrong; what to do`."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class BadSettings(BadInput):
    """A setting that cannot be used."""


class NotFound(NurtureError):
    """Nothing goes by that name."""


class Refused(NurtureError):
    """A rule says no."""


class Unavailable(NurtureError):
    """Store, Temporal or provider out of reach; nothing is lost, try again."""

    permanent = False


class DatabaseAway(Unavailable):
    """The database is out of reach; the text says which one, for those who run it and for nobody else."""


class NamesAway(Unavailable):
    """The domain name system could not be asked."""


class SendError(NurtureError):
    """A message did not go out; `reply` is the provider's answer, without personal data."""

    def __init__(self, message: str, *, code: str | None = None, reply: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.reply = reply


class AddressRefused(SendError):
    """The address takes no mail (5.1.x): it is suppressed."""


class MessageRefused(SendError):
    """The message or its sender was refused (5.7.x, 554): the address is not to blame."""


Cause: TypeAlias = Literal["message", "provider", "ours"]


class ProviderUnavailable(SendError):
    """Trouble that passes (4xx, no connection); `retry_after` when the provider names a delay.

    `cause` says whose trouble it is: this message's alone, the provider's whatever the message, or our own doing. A `lone`
    one holds up messages to the same receiver, and none to others.
    """

    permanent = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        reply: str = "",
        retry_after: timedelta | None = None,
        cause: Cause = "message",
        lone: bool = False,
    ) -> None:
        super().__init__(message, code=code, reply=reply)
        self.retry_after = retry_after
        self.cause = cause
        self.lone = lone


class Ambiguous(SendError):
    """Handed over, and no answer came: perhaps sent, perhaps not."""
