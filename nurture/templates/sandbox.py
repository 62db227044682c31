"""Where templates run: they see what they are given and nothing else, and cannot eat the machine."""

import re
from collections.abc import Callable, Sequence
from html import unescape
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from nurture.templates.filters import FILTERS as OWN_FILTERS
from nurture.templates.filters import TemplateFault

LONGEST = 1_000_000  # characters, of a rendered part and of a product like "-" * 60
ROUNDS = 10_000  # numbers that all ranges of one part may give together
FILTERS = frozenset(
    {"abs", "batch", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float", "groupby", "int",
     "items", "join", "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "replace", "reverse",
     "round", "select", "selectattr", "slice", "sort", "string", "striptags", "sum", "title", "tojson", "trim", "truncate",
     "unique", "upper", "urlencode", "wordcount"}
)  # fmt: skip
GREEDY_METHODS = frozenset({"format", "format_map", "center", "ljust", "rjust", "zfill", "expandtabs", "translate"})
SCHEMES = frozenset({"http", "https", "mailto", "tel"})
LINKS = re.compile(
    r"\b(?:href|src|action|formaction|background|poster)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE
)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja without a way out: no environment, no dice, no growth without bound; what is unknown is an error."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self, directories: Sequence[Path], *, autoescape: bool) -> None:
        super().__init__(
            loader=FileSystemLoader(directories),
            autoescape=autoescape,
            undefined=StrictUndefined,
            finalize=lambda value: "" if value is None else value,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=1000,
        )
        self.globals.clear()
        self.filters = {name: made for name, made in self.filters.items() if name in FILTERS}
        self.filters |= {"url": safe_url, **OWN_FILTERS}

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """A product or a power of sensible size; text is not formatted by `%`."""
        match operator:
            case "%" if isinstance(left, str):
                raise TemplateFault("text is joined with ~, not formatted with %")
            case "**" if abs(left) > LONGEST or abs(right) > 16:
                raise TemplateFault("the power is too great")
            case "*" if _size(left) * _size(right) > LONGEST:
                raise TemplateFault("the product is too long")
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """No internals, and no method of text that pads or fills to any length."""
        return super().is_safe_attribute(obj, attr, value) and not (isinstance(obj, str) and attr in GREEDY_METHODS)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:  # noqa: ARG002  # so that `format` is refused as well
        """Text is joined with ~, not formatted."""
        return None


class Rounds:
    """`range` for one part: all loops together have so many rounds."""

    def __init__(self) -> None:
        self._left = ROUNDS

    def __call__(self, *bounds: int) -> range:
        """As Python's `range`, within what is left."""
        numbers = range(*bounds)
        self._left -= len(numbers)
        if self._left < 0:
            raise TemplateFault(f"more than {ROUNDS} rounds")
        return numbers


def safe_url(value: object) -> str:
    """The URL, if a reader may follow it: web, mail or telephone, and nothing that a program would run."""
    url = str(value).strip()
    scheme = re.match(r"([^/?#:]*):", re.sub(r"[\x00-\x20\x7f-\xa0]", "", url))
    if scheme and scheme[1].lower() not in SCHEMES:
        raise TemplateFault("a link is neither http, https, mailto nor tel")
    return url


def check_links(html: str) -> None:
    """TemplateFault if an attribute of the rendered HTML holds a URL that a program would run, wherever it came from."""
    for found in LINKS.finditer(html):
        safe_url(unescape(found[1]).strip("\"'"))


def _size(value: Any) -> float:
    return len(value) if isinstance(value, str | list | tuple) else abs(value)
