"""The look and the words of the pages that leads see."""

PAGE = """<!doctype html>
<html lang="{{ language }}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{{ say[part] }}</title><style>
body { margin: 0; background: #f4f5f2; color: #1d2420; font: 17px/1.6 -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
main { max-width: 34rem; margin: 12vh auto; padding: 2rem; background: #fff; border-radius: 12px; }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0 0 1rem; } form { margin: 0 0 .75rem; }
button { font: inherit; padding: .6rem 1.2rem; border: 0; border-radius: 8px; background: #2f7d4f; color: #fff; cursor: pointer; }
button.soft { background: #e7ebe8; color: #1d2420; } textarea { width: 100%; font: inherit; box-sizing: border-box; }
label.point { display: inline-block; margin: 0 .5rem .5rem 0; }
@media (prefers-color-scheme: dark) { body { background: #141815; color: #e7ece8; } main { background: #1f2521; } }
</style></head><body><main><h1>{{ say[part] }}</h1>
{% if part == "unsubscribe" %}<p>{{ say.about }}</p>
<form method="post"><button>{{ say.this }} “{{ topic }}”</button></form>
<form method="post"><input type="hidden" name="topic" value="*"><button class="soft">{{ say.all }}</button></form>
{% elif part == "unsubscribed" %}<p>{{ say.gone }}</p>
{% elif part == "survey" %}<form method="post"><p>{% for point in range(11) %}<label class="point">
<input type="radio" name="score" value="{{ point }}" required> {{ point }}</label>{% endfor %}</p>
<p><label>{{ say.why }}<textarea name="comment" rows="4" maxlength="2000"></textarea></label></p>
<button>{{ say.send }}</button></form>{% else %}<p>{{ say.heard }}</p>{% endif %}</main></body></html>"""

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "unsubscribe": "Leave this mailing?",
        "about": "Nothing happens until you press a button.",
        "this": "Stop",
        "all": "Stop all mailings",
        "unsubscribed": "You are unsubscribed",
        "gone": "It holds from this moment. You can close this page.",
        "survey": "How likely are you to recommend us?",
        "why": "Why? (optional)",
        "send": "Send",
        "answered": "Thank you",
        "heard": "Your answer has been heard. You can close this page.",
    },
    "ru": {
        "unsubscribe": "Отписаться от рассылки?",
        "about": "Ничего не произойдёт, пока вы не нажмёте кнопку.",
        "this": "Не получать",
        "all": "Не получать никаких рассылок",
        "unsubscribed": "Вы отписаны",
        "gone": "Это действует с этой минуты. Страницу можно закрыть.",
        "survey": "Насколько вероятно, что вы нас порекомендуете?",
        "why": "Почему? (не обязательно)",
        "send": "Отправить",
        "answered": "Спасибо",
        "heard": "Ваш ответ получен. Страницу можно закрыть.",
    },
}
