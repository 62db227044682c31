"""What templates may do within their limits reads as in Jinja."""

import pytest
from jinja2 import Environment

from nurture.templates.sandbox import Rounds, Sandbox


@pytest.mark.parametrize(
    "template",
    [
        "{% for n in [3, 1, 2] %}{{ loop.index }}/{{ loop.length }}{{ n }}{% if loop.last %}!{% endif %}{% endfor %}",
        "{% for n in [] %}{{ n }}{% else %}none{% endfor %}",
        "{% for n in [1, 2, 3] if n > 1 %}{{ loop.index }}{{ n }}{% endfor %}",
        "{% for key, value in {'a': 1}.items() %}{{ key }}{{ value }}{% endfor %}",
        "{{ ['a', none, 'b'] | select | join(', ') }}",
        "{{ [{'n': 1}, {'n': 2}] | join('-', attribute='n') }}",
        "{{ 'a-b-c' | replace('-', '+', 1) }}{{ 'abc' | replace('b', '') }}",
        "{{ range(5) | batch(2, 0) | list }}{{ range(5) | slice(2) | list }}",
        "{{ 2.345 | round(2) }}{{ 2.1 | round(method='ceil') }}",
        "{{ 'a' ~ 1 ~ none ~ ['b'] }}{{ 1 + 2 }}{{ 'a' + 'b' }}{{ [1] + [2] }}",
        "{% for n in [1, 2] recursive %}{{ n }}{% endfor %}",
    ],
)
@pytest.mark.parametrize("autoescape", [True, False])
def test_what_is_within_the_limits_is_as_in_jinja(template: str, autoescape: bool) -> None:
    plain = Environment(autoescape=autoescape)  # the comparison is what is tested
    ours = Sandbox([], autoescape=autoescape).from_string(template).render(language="en", range=Rounds())

    assert ours == plain.from_string(template).render()


def test_what_a_lead_says_is_escaped_through_every_way_of_joining() -> None:
    made = Sandbox([], autoescape=True).from_string("{{ '<p>' ~ x }}{{ [x] | join('<') }}{{ x | replace('b', '<') }}")

    assert "<" not in made.render(language="en", x="<b>")
