"""`nurture experiments`: what people decide about them; what they tell is `nurture report experiments`."""

from typing import Annotated

import typer

from nurture.cli.context import Here, in_store, out, user
from nurture.store import experiments as stored

experiments = typer.Typer(help="Experiments: decide.", no_args_is_help=True, rich_markup_mode=None)


@experiments.callback()
def family() -> None:
    """Experiments: decide."""


@experiments.command()
def decide(
    experiment: Annotated[str, typer.Argument(help="By the key of its split.")],
    arm: Annotated[str, typer.Argument(help="The arm that everybody goes to from now on.")],
    because: Annotated[str, typer.Option(help="Why, for those who look it up later.")] = "",
) -> None:
    """Pick the winner by hand, once: leads that come later go there, those that are in an arm stay in it."""

    async def work(here: Here) -> None:
        async with here.store.write() as session:
            await stored.decide(session, experiment, arm, user(), because, here.now)

    in_store(work)
    out.print(f"decided: {arm}")
