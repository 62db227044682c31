"""Messengers as code: any service that carries our messages to leads, behind a signed webhook."""

import re

from pydantic import BaseModel, ConfigDict

FIELD = re.compile(r"email|phone|external_id|(external_ids|messengers)\.[a-z][a-z0-9_-]{0,39}")


class Messenger(BaseModel):
    """A service that takes our messages by a signed webhook (Standard Webhooks), as the channel of that key.

    Where it reaches a lead stands in the field `address`, `messengers.<key>` unless another is named. Each message comes
    with a `webhook-id` of its own, by which the service knows a repeat. The secret is `NURTURE_HOOK_SECRETS__<KEY>`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    url: str
    address: str = ""

    @property
    def field(self) -> str:
        """The field of a lead that holds its address there."""
        return self.address or f"messengers.{self.key}"
