"""Letters to teams: notices about a lead, a journey or a whole campaign."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from activities.equipment import Equipment
from activities.letters import Context, Letter
from nurture.addresses import EMAIL
from nurture.channels.notices import NOTICES
from nurture.permission import Go, Never
from nurture.store import Session
from nurture.store.models import MessageRow


@dataclass(frozen=True)
class TeamLetter(Letter):
    """A notice to a team, about a lead or a journey."""

    given: Mapping[str, Any] = field(default_factory=dict, repr=False)
    needless: str = ""

    async def permission(self, session: Session, due: datetime, now: datetime) -> Go | Never:
        """A notice goes at any hour, if the team has an address and it is not `needless` by now."""
        if self.needless:
            return Never(self.needless)
        return Go() if self.recipient else Never("the team has no address: set NURTURE_TEAMS")

    async def context(self, session: Session, row: MessageRow) -> Context:
        """What was given."""
        return {
            "campaign": {"key": self.campaign, "title": self.campaign},
            "links": {"unsubscribe": None},
            **self.given,
        }


def to_team(
    equipment: Equipment,
    journey_id: str | None,
    occurrence: str,
    campaign: str,
    team: str,
    template: str,
    given: Context,
) -> TeamLetter:
    """A notice to the team, about a journey or a whole campaign: by mail, or to where the settings say that its notices go."""
    settings = equipment.settings
    elsewhere = team in settings.team_notices
    return TeamLetter(
        equipment=equipment,
        journey_id=journey_id,
        occurrence=occurrence,
        campaign=campaign,
        template=template,
        channel=NOTICES if elsewhere else EMAIL,
        purpose="transactional",
        topic="team",
        on_unknown="resend",
        lead_id=None,
        language=settings.language,
        sender=settings.sender,
        recipient=team if elsewhere else settings.teams.get(team),
        given=given,
    )
