"""Where templates run: they see what they are given and nothing else, and cannot eat the machine."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from html import unescape
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, nodes, pass_context
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, markup_join, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment

from nurture.templates.filters import FILTERS as OWN_FILTERS
from nurture.templates.filters import TemplateFault

LONGEST = 1_000_000  # characters, of a rendered part and of a product like "-" * 60
ROUNDS = 10_000  # numbers that all ranges of one part may give together
LOOPS = 100_000  # rounds that all loops of one part may make together, over whatever they go
COLUMNS = 1000  # rows and columns that a list may be laid out in
DIGITS = 20  # that a number may be rounded to
FILTERS = frozenset(
    {"abs", "batch", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float", "groupby", "int",
     "items", "join", "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "replace", "reverse",
     "round", "select", "selectattr", "slice", "sort", "string", "striptags", "sum", "title", "tojson", "trim", "truncate",
     "unique", "upper", "urlencode", "wordcount"}
)  # fmt: skip
GREEDY_METHODS = frozenset(
    {"format", "format_map", "center", "ljust", "rjust", "zfill", "expandtabs", "translate", "join", "replace"}
)
SCHEMES = frozenset({"http", "https", "mailto", "tel"})
LINKS = re.compile(
    r"\b(href|src|action|formaction|background|poster)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE
)
PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*")  # all that it can do is be seen


class _Code(CodeGenerator):
    """Compiles `~` to what measures before it joins."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802  # Jinja's
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("), context.eval_ctx)")


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja without a way out: no environment, no dice, no growth without bound; what is unknown is an error."""

    intercepted_binops = frozenset({"*", "**", "%", "+"})
    code_generator_class = _Code

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
        self.filters |= {
            "url": safe_url,
            "counted": _counted,
            **OWN_FILTERS,
            **{name: _within(self.filters[name], check) for name, check in MEASURES.items()},
        }

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """As Jinja's, with every loop counted: ten of them within each other make more rounds than there is time."""
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, "counted", [], [], None, None, lineno=loop.lineno)
        return tree

    def joined(self, parts: Sequence[Any], eval_ctx: EvalContext) -> str:
        """What `~` makes of them."""
        if sum(map(_size_of_text, parts)) > LONGEST:
            raise TemplateFault("the text is too long")
        return markup_join(parts) if eval_ctx.autoescape else str_join(parts)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """A product or a power of sensible size; text is not formatted by `%`."""
        match operator:
            case "%" if isinstance(left, str):
                raise TemplateFault("text is joined with ~, not formatted with %")
            case "**" if abs(left) > LONGEST or abs(right) > 16:
                raise TemplateFault("the power is too great")
            case "+" if _is_long(left) and _is_long(right) and _size(left) + _size(right) > LONGEST:
                raise TemplateFault("the sum is too long")
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
    """`range` for one part, and what counts its loops: all together have so many rounds."""

    def __init__(self) -> None:
        self._left, self._loops = ROUNDS, LOOPS

    def counting(self, values: Iterable[Any]) -> Iterator[Any]:
        """The values, each a round."""
        for value in values:
            self._loops -= 1
            if self._loops < 0:
                raise TemplateFault(f"more than {LOOPS} rounds")
            yield value

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
        url = unescape(found[2]).strip("\"'")
        if found[1].lower() != "src" or not PICTURE.fullmatch(url):
            safe_url(url)


@pass_context
def _counted(context: Context, values: Iterable[Any]) -> Iterable[Any]:
    rounds = context.get("range")
    return rounds.counting(values) if isinstance(rounds, Rounds) else values


def _within(filtered: Callable[..., Any], measured: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, given only what was measured before."""
    passed = int(hasattr(filtered, "jinja_pass_arg"))  # whether Jinja gives it something of its own first

    @wraps(filtered)
    def checked(*args: Any, **kwargs: Any) -> Any:
        own, value, more = args[:passed], args[passed], args[passed + 1 :]
        return filtered(*own, measured(value, *more, **kwargs), *more, **kwargs)

    return checked


def _join(value: Iterable[Any], d: str = "", attribute: Any = None) -> Any:  # noqa: ARG001  # as the filter's
    parts = list(value)
    if len(parts) * len(str(d)) + sum(map(_size_of_text, parts)) > LONGEST:
        raise TemplateFault("the text is too long")
    return parts


def _replace(s: Any, old: Any, new: Any, count: int | None = None) -> Any:
    times = str(s).count(str(old)) if count is None else min(count, str(s).count(str(old)))
    if len(str(s)) + times * len(str(new)) > LONGEST:
        raise TemplateFault("the text is too long")
    return s


def _columns(value: Any, number: int, fill_with: Any = None) -> Any:  # noqa: ARG001  # as the filter's
    if not 0 < number <= COLUMNS:
        raise TemplateFault(f"a list is laid out in 1 to {COLUMNS}")
    return value


def _round(value: Any, precision: int = 0, method: str = "common") -> Any:  # noqa: ARG001  # as the filter's
    if abs(precision) > DIGITS:
        raise TemplateFault(f"a number is rounded to {DIGITS} digits at most")
    return value


MEASURES: dict[str, Callable[..., Any]] = {
    "join": _join,
    "replace": _replace,
    "batch": _columns,
    "slice": _columns,
    "round": _round,
}


def _size_of_text(value: Any) -> int:
    return len(value) if isinstance(value, str) else 1


def _is_long(value: Any) -> bool:
    return isinstance(value, str | list | tuple)


def _size(value: Any) -> float:
    return len(value) if isinstance(value, str | list | tuple) else abs(value)
