from pathlib import Path

import pytest

from nurture.cli.sheet import Sheet, read_sheet
from nurture.errors import BadInput


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "leads.csv"


def sheet(file: Path, text: str, encoding: str = "utf-8") -> Sheet:
    file.write_bytes(text.encode(encoding))
    return read_sheet(file)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(file: Path, delimiter: str) -> None:
    found = sheet(file, delimiter.join(["email", "city"]) + "\n" + delimiter.join(["a@x.org", "Bonn"]) + "\n")
    assert [row.cells for row in found.rows()] == [{"email": "a@x.org", "city": "Bonn"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_the_encoding_is_found_out(file: Path, encoding: str) -> None:
    found = sheet(file, "email,city\na@x.org,Москва\n", encoding)
    assert [row.cells["city"] for row in found.rows()] == ["Москва"]
    assert found.encoding == encoding


def test_a_file_in_no_encoding_is_told_with_the_line(file: Path) -> None:
    file.write_bytes(b"email,city\na@x.org,Bonn\nb@x.org,\x98\n")
    with pytest.raises(BadInput, match=r"leads.csv:3: cannot be read as charmap: save it as UTF-8"):
        read_sheet(file)


def test_rows_know_the_line_they_begin_on(file: Path) -> None:
    found = sheet(file, 'email,note\na@x.org,"two\nlines"\n\nb@x.org,\n')
    assert [(row.line, row.cells["email"]) for row in found.rows()] == [(2, "a@x.org"), (5, "b@x.org")]


def test_windows_line_ends_and_a_missing_last_one_are_fine(file: Path) -> None:
    found = sheet(file, "email;city\r\na@x.org;Bonn\r\nb@x.org;Köln")
    assert [row.cells["city"] for row in found.rows()] == ["Bonn", "Köln"]


def test_a_row_with_too_many_cells_is_told_and_the_next_one_read(file: Path) -> None:
    first, second = sheet(file, "email,city\na@x.org,Bonn, Germany\nb@x.org,Köln\n").rows()
    assert "3 cells under 2 columns" in first.fault
    assert second.cells["city"] == "Köln"


def test_what_is_missing_at_the_end_of_a_row_is_empty(file: Path) -> None:
    [row] = sheet(file, "email,city\na@x.org\n").rows()
    assert row.cells == {"email": "a@x.org"}


def test_a_column_twice_is_refused(file: Path) -> None:
    with pytest.raises(BadInput, match="column 'email' stands there twice"):
        sheet(file, "email,email\n")


def test_a_file_without_a_header_is_refused(file: Path) -> None:
    with pytest.raises(BadInput, match="there is no header"):
        sheet(file, "\n\n")


def test_a_file_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none.csv cannot be read \(No such file"):
        read_sheet(tmp_path / "none.csv")
