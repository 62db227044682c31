"""Hold-outs: leads that are left out to compare with, of one campaign or of the whole programme; always the same ones.

The programme is all the marketing that we do. Who is held out of it gets what is not marketing, and so still enters a campaign
that has something of that kind to send.
"""

import hashlib

from nurture.campaign import Campaign
from nurture.steps import Message

HELD_OUT = "held out of the programme, to compare with"
"""Why a lead is sent no marketing, and what stands as the ending of a journey that is not begun for it."""


def held_out(campaign: Campaign, lead_id: str) -> bool:
    """Whether the lead belongs to the part that is never sent the campaign; the same lead always does, or never."""
    return _drawn(f"holdout/{campaign.key}/{lead_id}", campaign.holdout)


def out_of_programme(percent: float, lead_id: str) -> bool:
    """Whether the lead is among the percent that get no marketing; with more percent others join, and nobody leaves."""
    return _drawn(f"programme/{lead_id}", percent)


def is_all_marketing(campaign: Campaign) -> bool:
    """Whether there is nothing in the campaign for who is held out of the programme."""
    steps = (step for state in campaign.states for step in state.steps)
    return campaign.purpose == "marketing" and not any(isinstance(one, Message) and one.legal_basis for one in steps)


def _drawn(name: str, percent: float) -> bool:
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 * 100 < percent
