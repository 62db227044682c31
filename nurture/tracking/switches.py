"""What is followed of messages: by the house, by a campaign, and by nobody against a lead's will."""

from pydantic import BaseModel, ConfigDict


class Track(BaseModel):
    """What is followed: clicks by links of our own, opens by an unseen picture; and what targets are told by `utm`.

    Targets are told when they are among the house's sites, or `everywhere`; `source` and `medium` are the channel's name
    unless given. A `trap` is a link that nobody sees, by which machines give themselves away.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clicks: bool = True
    opens: bool = False
    trap: bool = True
    utm: bool = True
    everywhere: bool = False
    source: str = ""
    medium: str = ""


def track(
    *,
    clicks: bool = True,
    opens: bool = False,
    trap: bool = True,
    utm: bool = True,
    everywhere: bool = False,
    source: str = "",
    medium: str = "",
) -> Track:
    """What a campaign's messages follow: `track(clicks=False)`, `track(everywhere=True, source="newsletter")`."""
    given = {"clicks": clicks, "opens": opens, "trap": trap, "utm": utm, "everywhere": everywhere}
    return Track(**given, source=source, medium=medium)
