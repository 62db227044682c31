"""The story of a lead: everything its journeys did and why, and why others never began; plain values, for any reader."""

from nurture.store.story.absence import Absence, why_not
from nurture.store.story.parts import JourneyStory, MergedIn, Outside, Points, Standing, Story
from nurture.store.story.story import story_of

__all__ = ["Absence", "JourneyStory", "MergedIn", "Outside", "Points", "Standing", "Story", "story_of", "why_not"]
