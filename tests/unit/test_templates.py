"""Messages rendered from files, and what is said of the files that cannot be."""

import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from nurture.errors import NotFound
from nurture.templates import TemplateFault, Templates, plain_text

LAYOUTS = Path(__file__).parents[2] / "templates"
PROVIDED = {
    "lead.first_name",
    "lead.company.name",
    "lead.website",
    "link",
    "links.unsubscribe",
    "sender.postal_address",
}
GREET = """\
{% extends "layouts/message.j2" %}
{% block subject %}Prices for {{ lead.first_name or "you" }}{% endblock %}
{% block html %}<p class="soft">Hello {{ lead.first_name or "you" }}</p>
<a class="button" href="{{ link("https://example.com/prices", "prices") }}">Prices</a>{% endblock %}
"""


class Folder:
    """A folder of templates to write into, beside the layouts that come with nurture."""

    def __init__(self, path: Path) -> None:
        self.path = path
        shutil.copytree(LAYOUTS / "layouts", path / "layouts", dirs_exist_ok=True)
        self.templates = Templates([path])

    def write(self, file: str, text: str) -> Path:
        """Write one file."""
        path = self.path / file
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text, "utf-8")
        return path

    def message(
        self, html: str, *, subject: str = "Prices", more: str = "", file: str = "price-list/greet.en.j2"
    ) -> None:
        """Write a message of these blocks."""
        blocks = f"{{% block subject %}}{subject}{{% endblock %}}{{% block html %}}{html}{{% endblock %}}{more}"
        self.write(file, '{% extends "layouts/message.j2" %}' + blocks)

    def render(self, language: str | None = "en", **lead: object) -> tuple[str, str, str]:
        """Subject, HTML and text of the one message."""
        made = self.templates.render("price-list/greet", language, context(**lead))
        return made.subject, made.html, made.text


def context(**lead: object) -> dict[str, object]:
    return {
        "lead": {"first_name": "Bob", **lead},
        "links": {"unsubscribe": "https://example.com/u/1"},
        "sender": {"postal_address": "Acme, 1 High Street, London"},
        "link": lambda url, label="": f"https://t.example/{label}?to={url}&x=1",
    }


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    folder.write("price-list/greet.en.j2", GREET)
    return folder


@pytest.fixture
def bare(folder: Folder) -> Folder:
    """The same with the least of layouts, which is compiled sooner."""
    parts = (
        f'{{% if part == "{name}" %}}{{% block {name} %}}{{% endblock %}}{{% endif %}}'
        for name in ("subject", "html", "text")
    )
    folder.write("layouts/message.j2", "".join(parts))
    return folder


def test_a_message_has_subject_html_and_a_text_of_its_own_making(folder: Folder) -> None:
    subject, html, text = folder.render()

    assert subject == "Prices for Bob"
    assert 'href="https://t.example/prices?to=https://example.com/prices&amp;x=1"' in html
    assert text.startswith("Hello Bob\n\nPrices (https://t.example/prices?to=https://example.com/prices&x=1)")


def test_the_layout_adds_address_and_unsubscribe_link_to_both_parts(folder: Folder) -> None:
    folder.message("<p>Hello</p>", more="{% block text %}Hello in words{% endblock %}")
    _, html, text = folder.render()

    assert text.startswith("Hello in words\n\n--\n")
    for part in (html, text):
        assert "https://example.com/u/1" in part
        assert "Acme, 1 High Street, London" in part


def test_a_short_message_is_its_text_and_nothing_else(folder: Folder) -> None:
    folder.write(
        "price-list/greet.en.j2",
        """{% extends "layouts/short.j2" %}{% block text %}Hi {{ lead.first_name }}: {{ link("https://x.org") }}{% endblock %}""",
    )
    given = {**context(), "campaign": {"title": "Prices"}}

    made = folder.templates.render("price-list/greet", "en", given)

    assert made.text == "Hi Bob: https://t.example/?to=https://x.org&x=1"
    assert folder.templates.faults("price-list/greet", {*given, "lead.first_name"}) == []


def test_styles_are_inlined_and_those_for_screens_are_kept(folder: Folder) -> None:
    html = folder.render()[1]

    assert '<p class="soft" style="' in html
    assert "@media (prefers-color-scheme: dark)" in html


def test_a_preview_is_seen_by_the_inbox_only(folder: Folder) -> None:
    folder.message("<p>Hello</p>", more="{% block preview %}Three prices{% endblock %}")
    _, html, text = folder.render()

    assert "Three prices" in html
    assert "Three prices" not in text


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("ru-RU", "ru"), ("ru", "ru"), ("RU_ru", "ru"), ("pt-BR", "pt-BR"), ("pt", "en"), (None, "en"), ("de", "en")],
)
def test_the_nearest_language_is_taken(folder: Folder, wanted: str | None, found: str) -> None:
    for language in ("ru", "pt-BR"):
        folder.write(f"price-list/greet.{language}.j2", GREET)

    made = folder.templates.render("price-list/greet", wanted, context())

    assert made.language == found
    assert f'<html lang="{found}">' in made.html


def test_without_the_default_language_any_will_do(folder: Folder) -> None:
    folder.write("news/may.ru.j2", GREET)

    assert folder.templates.render("news/may", "de", context()).language == "ru"
    assert folder.templates.languages("news/may") == ["ru"]


def test_the_frame_speaks_the_language_of_the_message(folder: Folder) -> None:
    folder.write("price-list/greet.ru.j2", GREET)

    assert "Отписаться" in folder.render("ru")[1]
    assert "Unsubscribe" in folder.render("en")[1]


def test_dates_and_sums_are_written_as_in_that_language(folder: Folder) -> None:
    for language in ("en", "ru"):
        folder.message(
            "{{ lead.since|date }}, {{ 1234.5|money('EUR') }}, {{ 1234.5|number }}",
            file=f"price-list/greet.{language}.j2",
        )

    assert "December 1, 2026, €1,234.50, 1,234.5" in folder.render("en", since=date(2026, 12, 1))[1]
    assert "1 декабря 2026" in folder.render("ru", since=date(2026, 12, 1))[1]


def test_a_missing_value_is_empty_and_a_missing_name_is_a_fault(folder: Folder) -> None:
    folder.message("[{{ lead.first_name }}]")
    assert "[]" in folder.render(first_name=None)[1]

    folder.message("\n{{ lead.frist_name }}")
    with pytest.raises(TemplateFault, match=r"price-list/greet.en.j2:2: .* in `\{\{ lead.frist_name \}\}"):
        folder.render()


def test_a_changed_file_is_picked_up(folder: Folder) -> None:
    folder.render()
    path = folder.write("price-list/greet.en.j2", GREET.replace("Prices for", "Offers for"))
    os.utime(path, (0, 0))

    assert folder.render()[0] == "Offers for Bob"


def test_the_first_directory_wins(folder: Folder, tmp_path: Path) -> None:
    folder.write("own/price-list/greet.en.j2", GREET.replace("Prices for", "Our prices for"))
    templates = Templates([tmp_path / "own", tmp_path, LAYOUTS])

    assert templates.render("price-list/greet", "en", context()).subject == "Our prices for Bob"


def test_an_unknown_message_is_not_found(folder: Folder) -> None:
    assert not folder.templates.exists("price-list/gret")
    with pytest.raises(NotFound, match="price-list/gret"):
        folder.templates.render("price-list/gret", "en", {})


@pytest.mark.parametrize(
    "key", ["../secret", "/etc/passwd", "a/../b", "price-list/*", "", "a//b", "a\0b", "layouts/../x"]
)
def test_no_key_leads_out_of_the_directories(folder: Folder, key: str) -> None:
    folder.write("secret.en.j2", GREET)

    assert not Templates([folder.path / "price-list"]).exists(key)


# --- hostile data -----------------------------------------------------------------------------------------------------


def test_what_a_lead_calls_himself_is_never_html(bare: Folder) -> None:
    subject, html, text = bare.render(first_name="<script>alert(1)</script>")

    assert "<script>" not in html
    assert "<script>" in subject
    assert "<script>" in text


def test_what_a_lead_calls_himself_is_never_a_template(bare: Folder) -> None:
    subject, html, _ = bare.render(first_name="{{ 7 * 7 }}{% raw %}")

    assert subject == "Prices for {{ 7 * 7 }}{% raw %}"
    assert "49" not in html


@pytest.mark.parametrize("evil", ["a\nBcc: eve@example.com", "a\r\nb", "a\u2028b", "a\x85b", "a\x0bb"])
def test_a_subject_of_two_lines_is_refused(bare: Folder, evil: str) -> None:
    with pytest.raises(TemplateFault, match="one line") as fault:
        bare.render(first_name=evil)

    assert "eve" not in str(fault.value)


def test_an_empty_subject_is_refused(bare: Folder) -> None:
    bare.message("<p>Hello</p>", subject=" {{ lead.first_name }} ")

    with pytest.raises(TemplateFault, match="one line"):
        bare.render(first_name="")


@pytest.mark.parametrize(
    "evil",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " java\tscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "\x01javascript:x",
    ],
)
@pytest.mark.parametrize(
    "html", ['<a href="{{ lead.website }}">', "<a href='{{ lead.website|url }}'>", '<img src = "{{ lead.website }}">']
)
def test_a_link_that_runs_is_refused_with_and_without_the_filter(bare: Folder, html: str, evil: str) -> None:
    bare.message(html)

    with pytest.raises(TemplateFault, match="neither http"):
        bare.render(website=evil)


@pytest.mark.parametrize(
    "good", ["https://example.com/a:b", "mailto:a@example.com", "tel:+44", "/path", "example.com/x", "#top"]
)
def test_a_link_that_leads_somewhere_is_let_through(bare: Folder, good: str) -> None:
    bare.message('<a href="{{ lead.website|url }}">here</a>')

    assert f'href="{good}"' in bare.render(website=good)[1]


def test_a_picture_may_stand_in_the_message_itself_and_nowhere_else(bare: Folder) -> None:
    bare.message('<img src="data:image/png;base64,iVBORw0KGgo=">')
    assert "data:image/png" in bare.render()[1]

    for other in ('<a href="data:image/png;base64,iVBORw0KGgo=">', '<img src="data:image/svg+xml;base64,PHN2Zz4=">'):
        bare.message(other)
        with pytest.raises(TemplateFault, match="neither http"):
            bare.render()


@pytest.mark.parametrize(
    "attack",
    [
        "{{ cycler.__init__.__globals__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ link.__globals__ }}",
        "{{ lead|attr('__class__') }}",
        "{{ ''|attr('format') }}",
        "{{ '{0.__class__}'.format(lead) }}",
        "{{ '{0:999999999}'.format('a') }}",
        "{{ '%999999999d' % 1 }}",
        "{{ 'a' * 10 ** 9 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ 'a'.ljust(10 ** 9) }}",
        "{{ 'a'|center(1000000000) }}",
        "{{ [1] * 1000000000 }}",
        "{{ range(1000000000)|list }}",
        "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in range(9000) %}{{ '-' * 1000 }}{% endfor %}",
        "{% for a in [1]*999 %}{% for b in [1]*999 %}{% for c in [1]*999 %}{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in 'abc' * 300000 %}{% endfor %}",
        "{{ range(9000)|join('x' * 1000) }}",
        "{{ range(9000)|list|join('x' * 1000) }}",
        "{{ ('a' * 9000)|replace('a', 'b' * 9000) }}",
        "{{ ('a' * 9000).replace('a', 'b' * 9000) }}",
        "{{ ('a' * 9000)|replace('', 'b' * 9000) }}",
        "{{ 'a'.join(range(9000)) }}",
        "{% set x = 'x' * 900000 %}{% set y = x ~ x %}",
        "{% set x = 'x' * 900000 %}{% set y = x + x %}",
        "{% set x = [1] * 900000 %}{% set y = x + x %}",
        "{{ [1]|batch(1000000000, 'x')|list }}",
        "{{ [1]|slice(1000000000)|list }}",
        "{{ 1.5|round(1000000000, 'ceil') }}",
        "{{ lead.update({'first_name': 'Eve'}) }}",
        "{{ self.__init__ }}",
        "{{ lipsum() }}",
        "{{ namespace(a=1) }}",
        "{% include '../../../etc/passwd' %}",
        "{{ lead.first_name|safe }}",
    ],
)
def test_a_template_cannot_get_out_or_eat_the_machine(bare: Folder, attack: str) -> None:
    bare.message(attack)

    with pytest.raises(TemplateFault, match=r"greet\.en\.j2"):
        bare.render()


@pytest.mark.parametrize(
    "careless", ["{{ lead.phone|int + lead.first_name }}", "{{ {}[lead.first_name] }}", "{% include lead.first_name %}"]
)
def test_a_fault_never_tells_what_it_was_given(bare: Folder, careless: str) -> None:
    bare.message(careless)

    with pytest.raises(TemplateFault) as fault:
        bare.render(first_name="Zebedee", phone="+44 777")

    assert "Zebedee" not in str(fault.value)
    assert fault.value.__cause__ is None
    assert "Zebedee" not in repr(bare.templates.render)


def test_the_repr_of_a_rendered_message_shows_no_words(bare: Folder) -> None:
    assert "Bob" not in repr(bare.templates.render("price-list/greet", "en", context()))


# --- what can be said without rendering -------------------------------------------------------------------------------


def test_the_variables_of_a_message_are_found_through_its_layout(folder: Folder) -> None:
    assert folder.templates.variables("price-list/greet") == {
        "lead.first_name", "link", "links.unsubscribe", "sender.postal_address"
    }  # fmt: skip


def test_loops_sets_and_methods_are_no_variables(folder: Folder) -> None:
    folder.message(
        "{% set n = lead.company['name'] %}{% for x in lead.orders %}{{ x.total }}{{ loop.index }}{{ n.upper() }}{% endfor %}"
    )
    found = folder.templates.variables("price-list/greet")

    assert found == {"lead.company.name", "lead.orders", "links.unsubscribe", "sender.postal_address"}


def test_a_sound_message_has_no_faults(folder: Folder) -> None:
    assert folder.templates.faults("price-list/greet", PROVIDED) == []


def test_a_whole_that_is_provided_answers_its_parts(folder: Folder) -> None:
    folder.message("{{ lead.custom.size }}")

    assert folder.templates.faults("price-list/greet", PROVIDED | {"lead.custom"}) == []


def test_a_variable_nobody_provides_is_a_fault_with_its_place(folder: Folder) -> None:
    folder.message("\n\n{{ lead.frist_name }}")

    assert folder.templates.faults("price-list/greet", PROVIDED) == [
        f"{folder.path}/price-list/greet.en.j2:3: lead.frist_name: nobody provides it; did you mean lead.first_name?"
    ]


def test_every_fault_of_every_language_is_told(folder: Folder) -> None:
    folder.write(
        "price-list/greet.ru.j2", '{% extends "layouts/message.j2" %}\n{% block subject %} {% endblock %}\n{{ whence }}'
    )
    folder.write("price-list/greet.de.j2", "{% if %}")
    folder.write("price-list/greet.fr.j2", "{% block subject %}x{% endblock %}")
    folder.write("price-list/greet.it.j2", '\n{% extends "layouts/mesage.j2" %}')
    folder.write("price-list/greet.es.j2", "\n{{ 1|shout }}")
    faults = [
        fault.removeprefix(f"{folder.path}/price-list/")
        for fault in folder.templates.faults("price-list/greet", PROVIDED)
    ]

    assert faults[0].startswith("greet.de.j2:1: Expected an expression")
    assert faults[1] == "greet.es.j2:2: No filter named 'shout'."
    assert faults[2] == 'greet.fr.j2: it extends no layout; begin with {% extends "layouts/message.j2" %}'
    assert "greet.it.j2:2: layouts/mesage.j2 does not exist" in faults
    assert "greet.ru.j2: block subject is missing or empty; write {% block subject %}…{% endblock %}" in faults
    assert "greet.ru.j2: block html is missing or empty; write {% block html %}…{% endblock %}" in faults
    assert any(fault.startswith("greet.ru.j2:3: whence: nobody provides it") for fault in faults)


def test_a_fault_in_a_part_or_a_layout_is_told_at_its_own_place(folder: Folder) -> None:
    folder.write(
        "layouts/loud.j2", '{% extends "layouts/message.j2" %}{% block preview %}\n{{ offer.name }}{% endblock %}'
    )
    folder.write("price-list/greet.en.j2", GREET.replace("message.j2", "loud.j2") + '{% include "parts/none.j2" %}')
    faults = folder.templates.faults("price-list/greet", PROVIDED)

    assert any(fault.startswith(f"{folder.path}/layouts/loud.j2:2: offer.name: nobody provides it") for fault in faults)
    assert any(fault.endswith("greet.en.j2:5: parts/none.j2 does not exist") for fault in faults)


def test_an_attribute_without_quotes_is_a_fault(folder: Folder) -> None:
    folder.message("a = {{ lead.first_name }}\n<a href={{ lead.website }}>here</a>")

    assert folder.templates.faults("price-list/greet", PROVIDED) == [
        f"{folder.path}/price-list/greet.en.j2:2: an attribute without quotes takes a value; write the quotes"
    ]


def test_templates_that_extend_each_other_are_a_fault(folder: Folder) -> None:
    folder.write("price-list/greet.en.j2", GREET.replace("layouts/message.j2", "price-list/greet.en.j2"))

    assert "extends must name another file" in folder.templates.faults("price-list/greet", PROVIDED)[0]
    with pytest.raises(TemplateFault):
        folder.render()


def test_an_unknown_message_is_a_fault_with_the_name_that_was_meant(folder: Folder) -> None:
    assert folder.templates.faults("price-list/gret", PROVIDED)[0].endswith("did you mean price-list/greet?")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two<br>Three</p>", "One\n\nTwo\nThree"),
        ("<h1>A</h1>\n<ul>\n<li>b</li>\n<li>c</li>\n</ul>", "A\n\n- b\n- c"),
        ('<a href="https://x.example/?a=1&amp;b=2">Go <b>now</b></a>', "Go now (https://x.example/?a=1&b=2)"),
        ('<a href="https://x.example">https://x.example</a>', "https://x.example"),
        ('<a href="mailto:a@x.example">a@x.example</a>', "a@x.example"),
        ('<a href="https://x.example"><img src="x" alt="Logo"></a>', "Logo (https://x.example)"),
        ("<style>p {}</style><script>x</script><p hidden>no<br><b>no</b></p>yes", "yes"),
        ('<div style="display: none">no<div>no</div></div>yes', "yes"),
        ("a &amp; b &lt;c&gt; &nbsp;d", "a & b <c> d"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("broken <b>html <p>here", "broken html\n\nhere"),
    ],
)
def test_html_reads_as_text(html: str, text: str) -> None:
    assert plain_text(html) == text
