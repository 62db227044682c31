"""Documents: their lines, sums, taxes and numbers, and what is said of those that cannot be."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from nurture import Campaign, Document, State, lead, line, send
from nurture.catalogue import Catalogue
from nurture.check import Check
from nurture.document_check import faults_of_document
from nurture.documents import rows_of, totals_of
from nurture.errors import BadInput
from nurture.issuing import file_name, pdf_of
from nurture.store.document_tables import DocumentRow


def document(**given: Any) -> Document:
    return Document.model_validate({"key": "invoice", "title": "Invoice", "currency": "EUR", **given})


def totals(*lines: Any, digits: int = 2, included: bool = False) -> tuple[str, list[str], str]:
    found = totals_of(rows_of(lines, {}, "en", digits), digits, tax_included=included)
    return str(found.net), [f"{one.rate}: {one.amount}" for one in found.taxes], str(found.total)


def test_lines_come_to_a_sum_with_each_tax_on_top() -> None:
    given = line("Setup", 1200, tax=19), line("Book", 10, quantity=3, tax=7), line("Stamp", 1)

    assert totals(*given) == ("1231.00", ["7: 2.10", "19: 228.00"], "1461.10")


def test_a_tax_that_is_included_is_counted_out() -> None:
    assert totals(line("Setup", 119, tax=19), included=True) == ("100.00", ["19: 19.00"], "119.00")


def test_a_tax_is_counted_once_over_its_lines_so_that_no_cent_is_lost() -> None:
    assert totals(*[line("Sweet", "0.05", tax=19)] * 10) == ("0.50", ["19: 0.10"], "0.60")


def test_a_sum_has_the_digits_of_its_currency_and_a_half_goes_up() -> None:
    assert totals(line("Sweet", "0.125", quantity=1))[2] == "0.13"
    assert totals(line("Sweet", "2.5", quantity=1), digits=0)[2] == "3"


def test_a_price_of_binary_fractions_is_the_price_as_it_is_written() -> None:
    assert totals(line("Sweet", 0.1, quantity=3))[2] == "0.30"


def test_a_line_goes_by_fields_of_the_lead() -> None:
    seats = line({"en": "Seats", "ru": "Места"}, price=40, quantity=lead.custom("seats"))
    [row] = rows_of([seats], {"custom": {"seats": 3}}, "ru", 2)

    assert (row.title, row.quantity, row.sum) == ("Места", Decimal(3), Decimal("120.00"))


@pytest.mark.parametrize("seats", [None, "many", True, "1e99", "nan"])
def test_a_field_without_a_number_is_named(seats: object) -> None:
    with pytest.raises(BadInput, match=r"lead\.custom\.seats holds no number"):
        rows_of([line("Seats", price=40, quantity=lead.custom("seats"))], {"custom": {"seats": seats}}, "en", 2)


def test_a_number_begins_anew_with_the_year_that_stands_in_it() -> None:
    assert (document().number(2026, 7), document().series(2026)) == ("2026-0007", "invoice/2026")
    assert (document(numbers="R{n}").number(2026, 7), document(numbers="R{n}").series(2026)) == ("R7", "invoice")


@pytest.mark.parametrize("numbers", ["invoice", "{year}", "{m}", "{n.__class__}x", "{0}"])
def test_numbers_that_do_not_count_are_refused(numbers: str) -> None:
    with pytest.raises(ValidationError, match="give a pattern with"):
        document(numbers=numbers)


def test_the_name_of_a_file_holds_nothing_that_could_end_a_header() -> None:
    row = DocumentRow(kind="invoice", number='A/1"\r\nBcc: x', occasion="", lead_id="", title="", language="", currency="",
                      total="", html="", at=datetime(2026, 1, 1, tzinfo=UTC))  # fmt: skip

    assert file_name(row) == "invoice-A-1---Bcc--x.pdf"


def test_the_same_document_is_the_same_pdf_and_its_letters_are_kept() -> None:
    page = "<h1>Счёт № 1</h1><p>1 200,00 €</p>"

    assert pdf_of(page).startswith(b"%PDF-")
    assert pdf_of(page) == pdf_of(page)


def test_what_is_wrong_with_a_document_is_told_with_its_place() -> None:
    lines = [{"title": "Seats", "price": ["seets"]}]
    faults = faults_of_document(document(lines=lines, of_order=True, numbers="{n}\n"), "campaigns/papers.py", None)

    told = [str(one).removeprefix('campaigns/papers.py: document "invoice", ') for one in faults]
    assert [one.partition(": ")[0] for one in told] == ["lines", "line 1", "numbers"]
    assert told[1].startswith("line 1: lead.seets is no field")


def test_a_campaign_that_names_a_document_which_is_not_there_is_put_right() -> None:
    campaign = Campaign("deal", [State("offer", [send("a/b", document="invoce"), send("a/b", attach=True)])])
    catalogue = Catalogue(documents={"invoice": document()})
    told = [one.message for one in Check(campaign, catalogue, "campaigns/deal.py", None).faults()]

    assert told == ['there is no document "invoce": did you mean "invoice"?', "attaches nothing: name the document="]
