"""The catalogue: everything that a team has declared as code, by key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from nurture.addresses import KINDS, kind_of
from nurture.audiences import Audience
from nurture.definitions import Definition
from nurture.documents import Document
from nurture.forms import Form
from nurture.grades import Grade
from nurture.hooks import Hook, Source
from nurture.mailing import Mailing
from nurture.messengers import Messenger
from nurture.offers import Offer
from nurture.retargeting.retarget import Retarget
from nurture.rewards import Reward
from nurture.scores import Score
from nurture.surveys import Survey
from nurture.teams import Team
from nurture.topics import Topic
from nurture.version import Version

USUAL_TEAM = "sales"


@dataclass(frozen=True)
class Catalogue:
    """All that a team has written, by key: campaigns as versions, scores, definitions, and what they go by and use."""

    campaigns: Mapping[str, Version] = field(default_factory=dict)
    scores: Mapping[str, Score] = field(default_factory=dict)
    grades: Mapping[str, Grade] = field(default_factory=dict)
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    audiences: Mapping[str, Audience] = field(default_factory=dict)
    mailings: Mapping[str, Mailing] = field(default_factory=dict)
    forms: Mapping[str, Form] = field(default_factory=dict)
    offers: Mapping[str, Offer] = field(default_factory=dict)
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    messengers: Mapping[str, Messenger] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    teams: Mapping[str, Team] = field(default_factory=dict)
    surveys: Mapping[str, Survey] = field(default_factory=dict)
    rewards: Mapping[str, Reward] = field(default_factory=dict)
    retargets: Mapping[str, Retarget] = field(default_factory=dict)
    documents: Mapping[str, Document] = field(default_factory=dict)
    topics: Mapping[str, Topic] = field(default_factory=dict)

    def team(self, key: str, addresses: Mapping[str, str]) -> Team:
        """The team of that key, or the only one there is; where none is written, a team of nobody but its address."""
        if key in self.teams:
            return self.teams[key]
        if not key and len(self.teams) == 1:
            return next(iter(self.teams.values()))
        return Team(key=key or USUAL_TEAM, lead=addresses.get(key or USUAL_TEAM, ""))

    @cached_property
    def channels(self) -> dict[str, str]:
        """The channels that messages may go by, with the kind of key at which each reaches a lead."""
        return {**KINDS, **{key: kind_of(one.field) for key, one in self.messengers.items()}}

    @cached_property
    def entered_by(self) -> dict[str, list[Version]]:
        """The campaigns that a change of each key may enter a lead into."""
        found: dict[str, list[Version]] = {}
        for version in self.campaigns.values():
            for key in {key for entry in version.campaign.enters for key in entry.depends_on()}:
                found.setdefault(key, []).append(version)
        return found
