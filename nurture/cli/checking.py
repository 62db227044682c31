"""`nurture check`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from nurture.addresses import SMS, TELEGRAM
from nurture.cli.context import counted, out
from nurture.faults import Fault
from nurture.loader import read
from nurture.mailing import Mailing
from nurture.message_variables import usual
from nurture.retargeting.retarget import Retarget
from nurture.settings import Settings, read_settings
from nurture.steps import Call, Message
from nurture.templates import Templates
from nurture.version import Version

Kind = TypeVar("Kind")


def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Directories, or files in them; NURTURE_CAMPAIGNS unless given.")
    ] = None,
) -> None:
    """Report every fault and warning, each with its place.

    Looks at campaigns, scores, definitions, audiences, mailings and messages. Exits with 1 when there is an error.
    """
    settings = read_settings()
    faults: list[Fault] = []
    campaigns: dict[str, Version] = {}
    mailings: dict[str, Mailing] = {}
    retargets: dict[str, Retarget] = {}
    messengers: set[str] = set()
    for path in paths or [settings.campaigns]:
        loaded = read(path.parent if path.suffix == ".py" else path, settings.templates)
        campaigns |= loaded.catalogue.campaigns
        mailings |= loaded.catalogue.mailings
        retargets |= loaded.catalogue.retargets
        messengers |= loaded.catalogue.messengers.keys()
        faults += [fault for fault in _missing(path) or loaded.faults if _concerns(fault, path)]
    unsent, unsigned = _unsent(settings, campaigns, mailings), _unsigned(settings, campaigns, retargets, messengers)
    faults = list(dict.fromkeys([*faults, *unsent, *unsigned, *_not_set_up(settings, campaigns, mailings)]))
    for fault in faults:
        out.print(f"{fault.level}: {fault}", style="red" if fault.level == "error" else "yellow", soft_wrap=True)
    errors = sum(fault.level == "error" for fault in faults)
    warnings = f", {counted(len(faults) - errors, 'warning')}" if len(faults) > errors else ""
    if errors:
        out.print(f"{counted(errors, 'error')}{warnings}", style="bold red")
        raise typer.Exit(1)
    messages = len(Templates([settings.templates]).keys())
    out.print(f"{counted(len(campaigns), 'campaign')}, {counted(messages, 'template')}: no faults{warnings}")


def _missing(path: Path) -> list[Fault]:
    there = path.is_file() or path.suffix != ".py"
    return [] if there else [Fault("error", str(path), "there is no such file: give another, or a directory")]


def _concerns(fault: Fault, path: Path) -> bool:
    """Whether the fault is about that path; what is wrong with a template concerns whoever sends it."""
    if path.suffix != ".py" or fault.place == str(path):
        return True
    place = f"{path.parent.name}/{path.name}"
    return fault.place == place or fault.place.startswith(f"{place}:")


def _unsent(settings: Settings, campaigns: dict[str, Version], mailings: dict[str, Mailing]) -> Iterator[Fault]:
    """What is wrong with messages that no campaign and no mailing sends, notices to the team among them."""
    sent = {one.template for one in mailings.values()} | {step.template for step in _steps(campaigns, Message)}
    templates = Templates([settings.templates])
    for key in templates.keys():  # noqa: SIM118  # it is no mapping
        if key not in sent:
            for text in templates.faults(key, usual(key)):
                place, _, message = text.partition(": ")
                yield Fault("error", place, message)


def _unsigned(
    settings: Settings, campaigns: dict[str, Version], retargets: dict[str, Retarget], messengers: set[str]
) -> Iterator[Fault]:
    """Which hooks and messengers have no secret: whoever is called cannot tell that it was us."""
    called = {step.hook for step in _steps(campaigns, Call)} | ({"sales"} if settings.sales_webhook else set())
    called |= {one.hook for one in retargets.values() if one.hook}
    called |= messengers
    for hook in sorted(called - settings.hook_secrets.keys()):
        place = f"NURTURE_HOOK_SECRETS__{hook.upper()}"
        yield Fault("warning", place, f"{hook} is called unsigned: set the secret that it checks, whsec_… (base64)")


def _not_set_up(settings: Settings, campaigns: dict[str, Version], mailings: dict[str, Mailing]) -> Iterator[Fault]:
    """Which channels messages go by and have no provider here; a worker may have settings of its own."""
    steps = [*_steps(campaigns, Message), *(one.message for one in mailings.values())]
    used = {channel for step in steps for channel in step.channels}
    if SMS in used and settings.sms_by is None:
        yield Fault("warning", "NURTURE_SMS_BY", "messages go by sms, and nobody takes them: name a provider")
    if TELEGRAM in used and settings.telegram_token is None:
        yield Fault("warning", "NURTURE_TELEGRAM_TOKEN", "messages go by telegram, and there is no bot: give its token")


def _steps(campaigns: dict[str, Version], kind: type[Kind]) -> Iterator[Kind]:
    steps = (step for one in campaigns.values() for state in one.campaign.states for step in state.steps)
    return (step for step in steps if isinstance(step, kind))
