"""Notices to teams by any of the services that `apprise` knows, such as Slack, Microsoft Teams, Matrix or ntfy."""

import asyncio
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from nurture.channels import Envelope, Receipt
from nurture.errors import BadSettings, MessageRefused, ProviderUnavailable

NOTICES = "apprise"


class NoticeChannel:
    """Sends the text of a notice to the address of its team, which `urls` has by the team's key: a letter names the team
    alone, as the address is a secret.

    What goes wrong there is known to the service only: apprise tells that it failed, and no more.
    """

    name = NOTICES

    def __init__(self, urls: Mapping[str, SecretStr]) -> None:
        self._services = {team: _service(team, url.get_secret_value()) for team, url in urls.items()}

    async def send(self, envelope: Envelope) -> Receipt:
        """Hand it over, in a thread of its own."""
        service = self._services.get(envelope.recipient)
        if service is None:
            raise MessageRefused(
                f"the team {envelope.recipient} has no address for notices; name it in NURTURE_TEAM_NOTICES"
            )
        if not await asyncio.to_thread(service.notify, title=envelope.subject, body=envelope.text, body_format="text"):
            raise ProviderUnavailable(
                f"the service of the team {envelope.recipient} did not take the notice; see NURTURE_TEAM_NOTICES"
            )
        return Receipt("taken")

    async def lookup(self, message_id: str) -> bool | None:  # noqa: ARG002  # the port asks
        """Nobody can tell."""
        return None

    async def close(self) -> None:
        """Nothing is kept open."""


def _service(team: str, url: str) -> Any:
    try:
        from apprise import Apprise
    except ImportError as error:
        raise BadSettings('NURTURE_TEAM_NOTICES: asks for the extra apprise: pip install "nurture[apprise]"') from error
    service = Apprise()
    if not service.add(url):
        raise BadSettings(
            f"NURTURE_TEAM_NOTICES: apprise does not know the address of {team}: see its list of services"
        )
    return service
