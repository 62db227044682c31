"""Topics as code: what a lead may take or leave, as its preference page shows it."""

from pydantic import BaseModel, ConfigDict

from nurture.texts import Text, languages_of

ALL = "*"
"""All topics: a no to it ends every yes that was said before."""

TRACKING = "tracking"
"""By refusing it a lead is not followed through its messages; without an answer it is, as far as a campaign does."""

RESERVED = frozenset({ALL, TRACKING})


class Topic(BaseModel):
    """What a lead may take or leave: its name and a sentence `about` it, in one language or several.

    Nobody gets it without a yes; where it is `opt_out`, everybody does until they say no.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    title: Text
    about: Text = ""
    opt_out: bool = False

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages it is written in; none when it is written for everybody."""
        return languages_of(self.title)
