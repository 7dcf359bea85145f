"""What the page shows as HTML: words stay words, markup stays markup."""

from __future__ import annotations

import pytest

from editor.page.shown import Markup, Shown
from editor.page.takes.words import status_markup
from editor.page.view import _error

HOSTILE = ("<img src=x onerror=alert(1)>", "\"onmouseover='x'", "</style>", "&lt;", "\0", "a & b")


@pytest.mark.parametrize("words", HOSTILE)
def test_words_are_escaped_once_wherever_they_come_from(words: str) -> None:
    told = str(Markup("{}").format(words))
    assert not {*"<>\"'"} & {*told} and Markup(told).unescape() == words
    assert Shown(words).value == told
    assert Shown().postprocess(Markup("<b>{}</b>").format(words)) == f"<b>{told}</b>"
    assert told in _error(words) + status_markup((), (), words)


def test_what_is_sent_is_a_plain_string() -> None:
    assert type(Shown().postprocess(Markup("<b></b>"))) is str
    assert Shown().postprocess(None) is None
