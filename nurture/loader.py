"""The loader: reads what a team wrote as code, by path, and checks all of it at once."""

import traceback
from collections.abc import Iterator, Mapping
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from pydantic import ValidationError

from nurture.audiences import Audience
from nurture.campaign import Campaign
from nurture.catalogue import Catalogue
from nurture.check import Check, MailingCheck, Messages
from nurture.declared_check import faults_of_declared
from nurture.definitions import Definition
from nurture.document_check import faults_of_document
from nurture.documents import Document
from nurture.errors import CampaignFaults
from nurture.faults import Fault, faults_of
from nurture.form_check import faults_of_form
from nurture.forms import Form
from nurture.grades import Grade, resolved
from nurture.hooks import Hook, Source
from nurture.mailing import Mailing
from nurture.messengers import Messenger
from nurture.offers import Offer
from nurture.retargeting.retarget import Retarget
from nurture.rewards import Reward
from nurture.scores import Score
from nurture.surveys import Survey
from nurture.teams import Team
from nurture.templates import Templates
from nurture.topics import Topic
from nurture.version import frozen

PACKAGE = "_nurture_team"
KINDS: Mapping[type, str] = {
    Campaign: "campaigns",
    Score: "scores",
    Grade: "grades",
    Definition: "definitions",
    Audience: "audiences",
    Mailing: "mailings",
    Form: "forms",
    Offer: "offers",
    Hook: "hooks",
    Messenger: "messengers",
    Source: "sources",
    Team: "teams",
    Survey: "surveys",
    Reward: "rewards",
    Retarget: "retargets",
    Document: "documents",
    Topic: "topics",
}


class Loaded(NamedTuple):
    """What was read, and every fault found on the way, warnings among them."""

    catalogue: Catalogue
    faults: tuple[Fault, ...]

    @property
    def errors(self) -> list[Fault]:
        """The faults that keep it from being used."""
        return [fault for fault in self.faults if fault.level == "error"]


def load(campaigns: Path, templates: Path | None = None) -> Catalogue:
    """What stands in the directory; `CampaignFaults` with every fault when something does not hold."""
    loaded = read(campaigns, templates)
    if loaded.errors:
        raise CampaignFaults([str(fault) for fault in loaded.errors])
    return loaded.catalogue


def read(campaigns: Path, templates: Path | None = None) -> Loaded:
    """What stands in the directory (files that begin with _ or test_ are left out), with all its faults."""
    faults: list[Fault] = []
    if not campaigns.is_dir():
        missing = Fault("error", str(campaigns), "there is no such directory: make it, or set NURTURE_CAMPAIGNS")
        return Loaded(Catalogue(), (missing,))
    found: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS.values()}
    files: dict[str, str] = {}
    for path in sorted(campaigns.glob("*.py")):
        if path.name.startswith(("_", "test_")):
            continue
        place = f"{campaigns.name}/{path.name}"
        for value in _values(path, place, faults):
            kind = KINDS[type(value)]
            if value.key in found[kind]:
                also = files[f"{kind}/{value.key}"]
                faults.append(Fault("error", place, f'{kind[:-1]} "{value.key}" stands in {also} too: rename one'))
                continue
            found[kind][value.key], files[f"{kind}/{value.key}"] = value, place
    for kind in ("campaigns", "scores", "definitions", "audiences"):
        found[kind] = {key: resolved(one, found["grades"]) for key, one in found[kind].items()}
    written: dict[str, Campaign] = found.pop("campaigns")
    catalogue = Catalogue(campaigns={key: frozen(one) for key, one in written.items()}, **found)
    messages: Messages | None = Templates([templates]) if templates is not None else None
    for kind, declared in found.items():
        for key, value in declared.items():
            faults += faults_of_declared(value, catalogue, files[f"{kind}/{key}"])
    for key, campaign in written.items():
        faults += Check(campaign, catalogue, files[f"campaigns/{key}"], messages).faults()
    for key, mailing in catalogue.mailings.items():
        faults += MailingCheck(mailing, catalogue, files[f"mailings/{key}"], messages).faults()
    for key, form in catalogue.forms.items():
        faults += faults_of_form(form, catalogue, files[f"forms/{key}"])
    for key, document in catalogue.documents.items():
        faults += faults_of_document(document, files[f"documents/{key}"], messages)
    return Loaded(catalogue, tuple(faults))


def _values(path: Path, place: str, faults: list[Fault]) -> Iterator[Any]:
    module = _module(path, place, faults)
    if module is None:
        return
    seen: set[int] = set()
    for value in vars(module).values():
        for one in value if isinstance(value, list | tuple) else [value]:
            if type(one) in KINDS and id(one) not in seen:
                seen.add(id(one))
                yield one


class _AsWritten(SourceFileLoader):
    """Compiles the file as it is: Python's cache takes what was saved twice in one second for the same."""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002  # the name stands in the loader
        """The module's code."""
        path = str(self.path)
        return self.source_to_code(self.get_data(path), path)


def _module(path: Path, place: str, faults: list[Fault]) -> ModuleType | None:
    name, path = f"{PACKAGE}.{path.stem}", path.absolute()  # as tracebacks name it
    spec = spec_from_file_location(name, path, loader=_AsWritten(name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a team's file may raise anything; the others are read all the same
        faults.append(Fault("error", f"{place}:{_line(error, path)}", _why(error)))
        return None
    return module


def _line(error: BaseException, path: Path) -> int:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno or 1
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return lines[-1] or 1 if lines else 1


def _why(error: BaseException) -> str:
    match error:
        case ValidationError():
            return "; ".join(faults_of(error))
        case SyntaxError():
            return f"{type(error).__name__}: {error.msg}"
        case TypeError() | AttributeError() | ValueError():
            return str(error).partition("\n")[0]
        case _:
            return f"{type(error).__name__}: {error}".partition("\n")[0]
