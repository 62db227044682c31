"""Needs: what a lead said that it needs, or seems to need, and how ready it is to buy."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Kind: TypeAlias = Literal["explicit", "presumed"]
Standing: TypeAlias = Literal["open", "met", "gone"]
Product: TypeAlias = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[!-~]+( [!-~]+)*$")]
Readiness: TypeAlias = Annotated[int, Field(ge=0, le=100)]


class Need(BaseModel):
    """A need of a product, how ready it is (0 to 100), and whether it is still there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product: Product
    kind: Kind = "explicit"
    readiness: Readiness = 50
    status: Standing = "open"

    @property
    def is_open(self) -> bool:
        """Whether it is still there."""
        return self.status == "open"


def holds(known: Need | None, said: Need) -> Need:
    """The need after what was said of it: what is presumed takes nothing back from what the lead said itself."""
    if known is not None and known.is_open and known.kind == "explicit" and said.kind == "presumed":
        return known.model_copy(update={"readiness": max(known.readiness, said.readiness)})
    return said
