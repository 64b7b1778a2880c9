"""The page's words in several languages: gettext catalogues, read as they are written (`languages/de.po`)."""

from collections.abc import Mapping
from functools import cache
from gettext import NullTranslations
from importlib.resources import files

from babel.messages.pofile import read_po

LANGUAGES = ("en", "de", "ko")
"""Those there are; in the first the words stand in the code."""


class _Words(NullTranslations):
    """Translations that are in memory."""

    def __init__(self, words: Mapping[str, str]) -> None:
        super().__init__()
        self._words = words

    def gettext(self, message: str) -> str:
        """The words for these words; themselves where nobody has translated them."""
        return self._words.get(message) or message


def best_language(accepted: str) -> str:
    """The language to speak to who asks for these, as a browser does (`Accept-Language`)."""
    wanted = [_weighed(entry) for entry in accepted.lower().split(",")]
    for _weight, name in sorted(wanted, key=lambda one: -one[0]):
        if (short := name.partition("-")[0]) in LANGUAGES:
            return short
    return LANGUAGES[0]


@cache
def translations(language: str) -> NullTranslations:
    """The words of a language."""
    if language == LANGUAGES[0]:
        return NullTranslations()
    with (files("station.page") / "languages" / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    return _Words({str(one.id): str(one.string) for one in catalogue if one.id and one.string})


def _weighed(entry: str) -> tuple[float, str]:
    name, _, rest = entry.strip().partition(";q=")
    try:
        return float(rest or 1), name
    except ValueError:
        return 0.0, name
