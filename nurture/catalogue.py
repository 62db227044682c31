"""The catalogue: everything that a team has declared as code, by key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from nurture.audiences import Audience
from nurture.definitions import Definition
from nurture.grades import Grade
from nurture.hooks import Hook, Source
from nurture.mailing import Mailing
from nurture.scores import Score
from nurture.version import Version


@dataclass(frozen=True)
class Catalogue:
    """Campaigns as versions, scores, grades, definitions, audiences, mailings, hooks and sources."""

    campaigns: Mapping[str, Version] = field(default_factory=dict)
    scores: Mapping[str, Score] = field(default_factory=dict)
    grades: Mapping[str, Grade] = field(default_factory=dict)
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    audiences: Mapping[str, Audience] = field(default_factory=dict)
    mailings: Mapping[str, Mailing] = field(default_factory=dict)
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)

    @cached_property
    def entered_by(self) -> dict[str, list[Version]]:
        """The campaigns that a change of each key may enter a lead into."""
        found: dict[str, list[Version]] = {}
        for version in self.campaigns.values():
            for key in {key for entry in version.campaign.enters for key in entry.depends_on()}:
                found.setdefault(key, []).append(version)
        return found
