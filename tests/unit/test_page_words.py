"""The page's words: every catalogue has every word of every screen, and a browser gets its own language."""

import re
from pathlib import Path

import pytest

from station.page.lessons import REASONS
from station.page.roles import Role
from station.page.words import LANGUAGES, best_language, translations

PAGE = Path(__file__).parents[2] / "station" / "page"
SAID = re.compile(r"""_\((?:"([^"]+)"|'([^']+)')\)""")
MOMENTS = {"entered", "judged", "interrupted", "sorted", "lost", "withdrawn"}
"""What screens take from the records and translate."""


def words() -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in (PAGE / "templates").glob("*.html")]
    return {one or other for text in texts for one, other in SAID.findall(text)} | MOMENTS | set(Role) | REASONS


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_word_of_every_screen_is_there_in_every_language_and_no_other(language: str) -> None:
    text = (PAGE / "languages" / f"{language}.po").read_text(encoding="utf-8")
    known = set(re.findall(r'^msgid "(.+)"$', text, re.MULTILINE))
    assert known == words()
    assert not re.findall(r'^msgstr ""\n\nmsgid', text, re.MULTILINE), "and is translated"
    assert translations(language).gettext("Sign in") != "Sign in"
    assert translations(language).gettext("no such word") == "no such word"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"), ("de", "de"), ("de-CH,de;q=0.9,en;q=0.8", "de"), ("fr-FR,fr;q=0.9,ko;q=0.5,en;q=0.3", "ko"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"), ("de;q=0.1,ko-KR;q=0.7", "ko"), ("*", "en"), ("de;q=x,ko", "ko"),
        (",;;,", "en"),
    ],
)  # fmt: skip
def test_a_browser_gets_the_language_that_it_likes_best(accepted: str, language: str) -> None:
    assert best_language(accepted) == language
