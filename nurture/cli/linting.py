"""`nurture lint`."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from nurture.cli.context import counted, out
from nurture.errors import NotFound
from nurture.faults import did_you_mean
from nurture.linting import Finding, Linter
from nurture.loader import read
from nurture.settings import Settings, read_settings
from nurture.templates import Templates


def lint(
    templates: Annotated[
        list[str] | None, typer.Argument(metavar="[TEMPLATE]...", help="price-list/greet; all unless given.")
    ] = None,
    links: Annotated[bool, typer.Option("--links", help="Ask every address that is written out.")] = False,
    spelling: Annotated[bool, typer.Option("--spelling", help="Look words up in dictionaries.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Tell what is wrong with messages that would go out all the same.

    Variables that nobody provides, a way to unsubscribe, the alignment of From, the size at which Gmail cuts off,
    pictures without words, links, tags. Each with its place and remedy. Exits with 1 when there is an error.
    """
    settings = read_settings()
    known = Templates([settings.templates], settings.language)
    keys = templates or known.keys()
    for key in keys:
        if not known.exists(key):
            raise NotFound(f"there is no message {key!r} in {settings.templates}: {did_you_mean(key, known.keys())}")
    found = list(dict.fromkeys(_findings(settings, known, keys, links=links, spelling=spelling)))
    if as_json:
        from pydantic_core import to_json

        typer.echo(to_json([_as_data(one) for one in found], indent=2).decode())
    else:
        _show(found, len(keys))
    if any(one.level == "error" for one in found):
        raise typer.Exit(1)


def _findings(
    settings: Settings, templates: Templates, keys: Sequence[str], *, links: bool, spelling: bool
) -> Iterator[Finding]:
    linter = Linter(settings, templates, read(settings.campaigns, settings.templates).catalogue)
    yield from linter.of_settings()
    for key in keys:
        yield from linter.of_message(key)
        if spelling:
            yield from _misspelt(settings, templates, key)
    if links:
        yield from _unreachable(settings, templates, keys)


def _misspelt(settings: Settings, templates: Templates, key: str) -> Iterator[Finding]:
    from nurture.linting.spelling import dictionary, misspelt, own_words

    own = own_words(settings.templates)
    for language, file in sorted(templates.files(key).items()):
        place, words = templates.sources.path(file), dictionary(language)
        if words is None:
            yield Finding("warning", "spelling", str(place), f"there is no dictionary of {language}: read it yourself")
            continue
        for line, word, meant in misspelt(templates.sources.text(file), words, own):
            perhaps = f"did you mean {meant}? " if meant else ""
            remedy = f"{perhaps}A word of the house goes into {settings.templates}/spelling.txt"
            yield Finding("warning", "spelling", f"{place}:{line}", f"{word}: no dictionary knows it; {remedy}")


def _unreachable(settings: Settings, templates: Templates, keys: Sequence[str]) -> Iterator[Finding]:
    from nurture.linting.reach import broken, links_of
    from nurture.network import Network, reach

    files = templates.sources.closure(file for key in keys for file in templates.files(key).values())
    written = [(f"{templates.sources.path(name) or name}:{line}", url)
               for name in files for line, url in links_of(templates.sources.text(name))]  # fmt: skip
    troubles = asyncio.run(broken([url for _, url in written], Network(reach(settings))))
    for place, url in written:
        if url in troubles:
            yield Finding("error", "links", place, f"{url} {troubles[url]}: correct it, or take it away")


def _as_data(one: Finding) -> dict[str, str | int | None]:
    file, _, line = one.place.rpartition(":")
    known = line.isdecimal()
    return {**one._asdict(), "file": file if known else one.place, "line": int(line) if known else None}


def _show(found: Sequence[Finding], messages: int) -> None:
    for one in found:
        out.print(f"{one.level}: {one}", style="red" if one.level == "error" else "yellow", soft_wrap=True)
    errors = sum(one.level == "error" for one in found)
    warnings = f", {counted(len(found) - errors, 'warning')}" if len(found) > errors else ""
    if errors:
        out.print(f"{counted(errors, 'error')}{warnings}", style="bold red")
    else:
        out.print(f"{counted(messages, 'template')}: nothing is wrong{warnings}")
