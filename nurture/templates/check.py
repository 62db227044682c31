"""What can be said of a template without rendering it: the names it uses, and its faults."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise

from jinja2 import Environment, TemplateNotFound, TemplateSyntaxError, meta, nodes

from nurture.templates.filters import missing_forms
from nurture.templates.mjml import tag_faults

OWN_NAMES = frozenset({"language", "part", "subject", "range", "zone"})  # given to every message
NEEDED_BLOCKS = ("subject", "html")


@dataclass(frozen=True)
class Use:
    """A name that a template uses (`lead.first_name`), and where."""

    name: str
    place: str


class Check:
    """Reads one message file, with the layouts and parts it refers to, and remembers what it finds."""

    def __init__(self, environment: Environment, file: str) -> None:
        self.uses: list[Use] = []
        self.faults: list[str] = []
        self._environment = environment
        self._seen: set[str] = set()
        self._language = file.split(".")[1]
        blocks, layouts = self._chain(file)
        if not layouts and not self.faults:
            self.faults.append(
                f'{self._place(file)}: it extends no layout; begin with {{% extends "layouts/message.j2" %}}'
            )
        if layouts:
            self.faults += [
                f"{self._place(file)}: block {name} is missing or empty; write {{% block {name} %}}…{{% endblock %}}"
                for name in NEEDED_BLOCKS
                if name not in blocks
            ]

    def missing(self, provided: Collection[str]) -> Iterator[str]:
        """A fault for each name that nobody provides, with the name that may have been meant."""
        for use in self.uses:
            if not any(_answers(name, use.name) for name in provided):
                close = get_close_matches(use.name, list(provided), n=1)
                hint = f"did you mean {close[0]}?" if close else f"provided are {', '.join(sorted(provided))}"
                yield f"{use.place}: {use.name}: nobody provides it; {hint}"

    def _chain(self, file: str, place: str | None = None) -> tuple[set[str], list[str]]:
        """The blocks that a file and its layouts fill, and those layouts, nearest first."""
        tree = self._read(file, place)
        if tree is None:
            return set(), []
        filled = {block.name for block in tree.find_all(nodes.Block) if not _empty(block)}
        extends = tree.find(nodes.Extends)
        if extends is None:
            return filled, []
        layout = extends.template
        if not isinstance(layout, nodes.Const) or layout.value in self._seen:
            self.faults.append(f"{self._place(file, extends.lineno)}: extends must name another file, in quotes")
            return filled, [file]
        blocks, layouts = self._chain(str(layout.value), self._place(file, extends.lineno))
        return filled | blocks, [str(layout.value), *layouts]

    def _read(self, file: str, place: str | None = None) -> nodes.Template | None:
        """The parsed file; its names and faults, and those of the parts it includes, are noted on the way."""
        self._seen.add(file)
        try:
            assert self._environment.loader is not None
            source, _, _ = self._environment.loader.get_source(self._environment, file)
            tree = self._environment.parse(source, file)
            self._environment.compile(source, file)
        except TemplateNotFound:
            self.faults.append(f"{place or file}: {file} does not exist")
            return None
        except TemplateSyntaxError as error:
            self.faults.append(f"{self._place(file, error.lineno)}: {error.message}")
            return None
        self.uses += [Use(name, self._place(file, line)) for name, line in _used(tree)]
        self.faults += [
            f"{self._place(file, line)}: an attribute without quotes takes a value; write the quotes"
            for line in _unquoted(tree)
        ]
        self.faults += [
            f"{self._place(file, line)}: plural lacks {', '.join(f'{one}=' for one in lacking)}; {self._language} has it"
            for line, lacking in _without_forms(tree, self._language)
        ]
        if file.endswith(".mjml.j2"):
            self.faults += [f"{self._place(file, line)}: {fault}" for line, fault in tag_faults(source)]
        for reference in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport)):
            part = reference.template  # type: ignore[attr-defined]  # find_all forgets which nodes it was asked for
            if not isinstance(part, nodes.Const):
                named = type(reference).__name__.lower()
                self.faults.append(f"{self._place(file, reference.lineno)}: {named} must name a file, in quotes")
            elif part.value not in self._seen:
                self._read(str(part.value), self._place(file, reference.lineno))
        return tree

    def _place(self, file: str, line: int | None = None) -> str:
        try:
            assert self._environment.loader is not None
            path = self._environment.loader.get_source(self._environment, file)[1] or file
        except TemplateNotFound:
            path = file
        return path if line is None else f"{path}:{line}"


def _answers(provided: str, used: str) -> bool:
    """Whether what is provided answers a use: the very name, something inside it, or the whole that it is part of."""
    return provided == used or used.startswith(f"{provided}.") or provided.startswith(f"{used}.")


def _empty(block: nodes.Block) -> bool:
    return all(
        isinstance(node, nodes.Output)
        and all(isinstance(child, nodes.TemplateData) and not child.data.strip() for child in node.nodes)
        for node in block.body
    )


def _unquoted(tree: nodes.Template) -> Iterator[int]:
    """The lines where an attribute takes a value without quotes: a space in that value would begin another attribute."""
    for output in tree.find_all(nodes.Output):
        for before, value in pairwise(output.nodes):
            if isinstance(before, nodes.TemplateData) and not isinstance(value, nodes.TemplateData):
                tag = before.data.rpartition("<")[2]
                if "<" in before.data and ">" not in tag and tag.rstrip().endswith("="):
                    yield value.lineno


def _without_forms(tree: nodes.Template, language: str) -> Iterator[tuple[int, list[str]]]:
    """The lines where a plural is not given all the forms that the language has, and those that it lacks."""
    for used in tree.find_all(nodes.Filter):
        if used.name == "plural" and used.dyn_kwargs is None:
            lacking = missing_forms(language, {str(one.key): one for one in used.kwargs})
            if lacking:
                yield used.lineno, lacking


def _used(tree: nodes.Template) -> Iterator[tuple[str, int]]:
    """The dotted names that a template takes from outside, with their lines."""
    outside = meta.find_undeclared_variables(tree) - OWN_NAMES
    return ((name, line) for name, line in _names(tree) if name.partition(".")[0] in outside)


def _names(node: nodes.Node) -> Iterator[tuple[str, int]]:
    dotted = _dotted(node)
    if dotted:
        yield dotted, node.lineno
        return
    if isinstance(node, nodes.Call) and isinstance(
        node.node, nodes.Getattr
    ):  # a method is no name that anybody provides
        yield from _names(node.node.node)
        for argument in (*node.args, *node.kwargs):
            yield from _names(argument)
        return
    for child in node.iter_child_nodes():
        yield from _names(child)


def _dotted(node: nodes.Node) -> str | None:
    """`lead.company.name` of an expression that is nothing but names; `lead["company"]` is the same."""
    match node:
        case nodes.Name(ctx="load"):
            return node.name
        case nodes.Getattr():
            whole, part = _dotted(node.node), node.attr
        case nodes.Getitem(arg=nodes.Const(value=str(part))):
            whole = _dotted(node.node)
        case _:
            return None
    return f"{whole}.{part}" if whole else None
