"""A folder of templates to write into, with the least of layouts."""

from pathlib import Path

from nurture.templates import Templates

HEAD = '{% extends "layouts/message.j2" %}'
UNSUBSCRIBE = "{% if links.unsubscribe %}{{ links.unsubscribe }}{% endif %}"
LAYOUT = f"""\
{{% if part == "subject" %}}{{% block subject %}}{{% endblock %}}
{{% elif part == "html" %}}<html><body>{{% block html %}}{{% endblock %}}<a href="{UNSUBSCRIBE}">Unsubscribe</a></body></html>
{{% elif part == "text" %}}{{% block text %}}{{% endblock %}} {UNSUBSCRIBE}{{% endif %}}
"""


class Folder:
    """Files written one by one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.templates = Templates([path])
        self.write("layouts/message.j2", LAYOUT)

    def write(self, file: str, text: str) -> Path:
        """Write one file."""
        path = self.path / file
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text, "utf-8")
        return path

    def message(self, html: str, *, subject: str = "Prices", file: str = "news/may.en.j2", head: str = HEAD) -> Path:
        """Write a message of these blocks; the HTML begins on its second line."""
        blocks = f"{{% block subject %}}{subject}{{% endblock %}}{{% block html %}}\n{html}{{% endblock %}}"
        return self.write(file, head + blocks)
