"""In which languages do labels stand, and which one is shown to a reader?"""

from collections.abc import Mapping

LANGUAGES = ("es", "it", "en")
FALLBACK = "en"

Labels = dict[str, str]


def labels(es: str, it: str, en: str) -> Labels:
    """One label in the three languages, as it is stored."""
    return {"es": es, "it": it, "en": en}


def label(labels: Mapping[str, str], language: str) -> str:
    """The label in the language (a tag such as "es" or "es-MX"), else in English, else any, else "".

    Companies edit labels, so one may be missing or blank.
    """
    return labels.get(language_of(labels, language)) or ""


def language_of(labels: Mapping[str, str], language: str) -> str:
    """The language in which `label` has it: the wanted one, else English, else any."""
    wanted = language.replace("_", "-").partition("-")[0].lower()
    said = (each for each in (wanted, FALLBACK, *labels) if labels.get(each))
    return next(said, wanted)
