"""A CSV file as rows: encoding and delimiter found out, each row with its line."""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nurture.errors import BadInput

DELIMITERS = ",;\t|"
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
LONGEST_CELL = 1_000_000


@dataclass(frozen=True)
class Row:
    """One record: the line it begins on, and its cells by column; `fault` when it cannot be used."""

    line: int
    cells: dict[str, str]
    fault: str = ""


@dataclass(frozen=True)
class Sheet:
    """A file of records; `size` is how many characters there are to go through."""

    columns: tuple[str, ...]
    encoding: str
    delimiter: str
    text: str

    def rows(self) -> Iterator[Row]:
        """The records below the header; a line without anything is none."""
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.delimiter)
        next(reader)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(line, {}, f"{error}: look for a quote that is not closed")
                return
            if len(cells) > len(self.columns) and any(cells[len(self.columns) :]):
                cells_are = f"{len(cells)} cells under {len(self.columns)} columns"
                yield Row(line, {}, f"{cells_are}: put a text that holds the delimiter {self.delimiter!r} in quotes")
            elif cells:
                yield Row(line, dict(zip(self.columns, cells, strict=False)))

    def count(self) -> int:
        """How many records there are."""
        return sum(1 for _ in self.rows())


def read_sheet(file: Path, encoding: str = "") -> Sheet:
    """The file; an encoding that is not given is found out: UTF-8, UTF-16 by its mark, else Windows-1251."""
    csv.field_size_limit(LONGEST_CELL)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file} cannot be read ({error.strerror}): name a CSV file") from error
    text, found = _decoded(file, content, encoding)
    head = text.partition("\n")[0].strip()
    if not head:
        raise BadInput(f"{file}: there is no header: give the columns' names in the first line")
    # The delimiter that cuts the header into the most columns; a comma when none does.
    delimiter = max(DELIMITERS, key=lambda one: len(next(csv.reader([head], delimiter=one))))
    columns = tuple(name.strip() for name in next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)))
    if double := {name for name in columns if name and columns.count(name) > 1}:
        raise BadInput(f"{file}: column {min(double)!r} stands there twice: rename one")
    return Sheet(columns, found, delimiter, text)


def _decoded(file: Path, content: bytes, encoding: str) -> tuple[str, str]:
    mark = next((name for start, name in BYTE_ORDER_MARKS.items() if content.startswith(start)), "")
    for name in [encoding] if encoding else [mark] if mark else ["utf-8", "cp1251"]:
        try:
            return content.decode(name), name
        except LookupError as error:
            raise BadInput(f"--encoding {name!r} is unknown: write utf-8, cp1251, latin-1 …") from error
        except UnicodeDecodeError as error:
            wrong = error
    line = content.count(b"\n", 0, wrong.start) + 1
    raise BadInput(f"{file}:{line}: cannot be read as {wrong.encoding}: save it as UTF-8, or say --encoding") from None
