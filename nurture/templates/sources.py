"""What stands in the files of a message, those it extends and includes among them: for whoever compares or reads them."""

import hashlib
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, TemplateSyntaxError, nodes

A_TICK = 1_000_000_000  # ns: two changes of a file within a tick of the disk's clock look like one
REFERENCES = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)
JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)


class Stamp(NamedTuple):
    """A file of a message, by which its state is known without reading it; no path when there is none."""

    name: str
    path: Path | None
    changed: int = 0
    size: int = 0


class Sources:
    """Reads files in some directories, the first of them winning."""

    def __init__(self, directories: Sequence[Path], environment: Environment) -> None:
        self._directories, self._environment = directories, environment
        self._known: dict[tuple[str, ...], tuple[list[Stamp], str]] = {}

    def fingerprint(self, files: Iterable[str]) -> str:
        """SHA-256 of these files and of all that they extend and include: the same until a letter of them changes."""
        asked = tuple(sorted(files))
        known = self._known.get(asked)
        if known is not None and all(self._stamp(one.name) == one for one in known[0]):
            return known[1]
        stamps = [self._stamp(name) for name in sorted(self.closure(asked))]
        content = hashlib.sha256()
        for one in stamps:
            body = one.path.read_bytes() if one.path is not None else b""
            content.update(f"{one.name}\0{len(body)}\0".encode() + body)
        found = content.hexdigest()
        if time.time_ns() - max((one.changed for one in stamps), default=0) > A_TICK:
            self._known[asked] = stamps, found
        return found

    def closure(self, files: Iterable[str]) -> list[str]:
        """These files and all that they extend and include, each once; what does not exist is named as well."""
        found: dict[str, None] = {}
        ahead = list(files)
        while ahead:
            name = ahead.pop(0)
            if name not in found:
                found[name] = None
                ahead += self._referred(name)
        return list(found)

    def text(self, name: str) -> str:
        """What stands in the file; nothing when there is none."""
        path = self.path(name)
        return path.read_text("utf-8") if path is not None else ""

    def path(self, name: str) -> Path | None:
        """Where the file is."""
        return next((place / name for place in self._directories if (place / name).is_file()), None)

    def assigned(self, name: str) -> Iterator[tuple[str, object, int]]:
        """The plain values that the file itself sets (`{% set stage = "need" %}`), with their lines."""
        tree = self._tree(name)
        for node in tree.body if tree is not None else ():
            if isinstance(node, nodes.Assign) and isinstance(node.target, nodes.Name):
                try:
                    yield node.target.name, node.node.as_const(), node.lineno  # type: ignore[attr-defined]  # an expression
                except nodes.Impossible:
                    continue

    def _referred(self, name: str) -> list[str]:
        tree = self._tree(name)
        used = tree.find_all(REFERENCES) if tree is not None else ()
        named = (one.template for one in used)  # type: ignore[attr-defined]  # find_all forgets which nodes it was asked for
        return [str(one.value) for one in named if isinstance(one, nodes.Const)]

    def _tree(self, name: str) -> nodes.Template | None:
        try:
            return self._environment.parse(self.text(name), name)
        except TemplateSyntaxError:  # told by whoever renders it
            return None

    def _stamp(self, name: str) -> Stamp:
        for place in self._directories:
            try:
                state = (place / name).stat()
            except OSError:
                continue
            return Stamp(name, place / name, state.st_mtime_ns, state.st_size)
        return Stamp(name, None)


def bare(source: str) -> str:
    """The HTML of a template line by line: an expression is an `x`, what only directs or explains is nothing."""
    return JINJA.sub(lambda found: ("x" if found[0].startswith("{{") else "") + "\n" * found[0].count("\n"), source)
