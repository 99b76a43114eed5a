"""What may stand in a text field, and how are texts folded so that accents and case do not matter when searching?"""

import re
import string
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, StringConstraints
from pydantic_core import PydanticCustomError

# Control characters (U+0000 breaks PostgreSQL) and lone surrogates (they cannot be encoded). Tab and newline are looked
# at apart, since long texts may have them.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_NEWLINES = re.compile("\r\n|[\r\x85\u2028\u2029]")
# What a byte order mark or a paste from the web leaves at the ends: invisible, and not white space for str.strip.
_INVISIBLE = "\ufeff\u200b\u2060"
# Unicode puts the marks on one letter in order, which takes the square of their number; no script needs more.
MOST_MARKS = 30
# Marks only once they are taken apart, so that `unicodedata.combining` does not know them.
_HIDDEN_MARKS = frozenset("\u0f73\u0f75\u0f81\uff9e\uff9f")


def clean_text(value: str) -> str:
    """The text in NFC, stripped, newlines as "\\n".

    Raises ValueError for control characters other than tab and newline, for lone surrogates, and for more than
    MOST_MARKS marks on one letter.
    """
    if value.isascii() and value.isprintable():
        return value.strip()
    if _FORBIDDEN.search(value):
        raise PydanticCustomError("forbidden_characters", "Must not contain control characters or broken Unicode")
    if not value.isascii() and _has_too_many_marks(value):
        raise PydanticCustomError("forbidden_characters", "Too many marks on one letter")
    text = unicodedata.normalize("NFC", _NEWLINES.sub("\n", value))
    while text != (text := text.strip().strip(_INVISIBLE)):
        pass
    return text


def _has_too_many_marks(text: str) -> bool:
    run = 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) or char in _HIDDEN_MARKS else 0
        if run > MOST_MARKS:
            return True
    return False


def clean_line(value: str) -> str:
    """As `clean_text`, for one line: newlines and tabs inside it raise ValueError too."""
    text = clean_text(value)
    if "\n" in text or "\t" in text:
        raise PydanticCustomError("several_lines", "Must be a single line, without tabs")
    return text


def _cleaned_text(value: Any) -> Any:
    return clean_text(value) if isinstance(value, str) else value


def _cleaned_line(value: Any) -> Any:
    return clean_line(value) if isinstance(value, str) else value


def _blank_as_null(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


T = TypeVar("T")
# For optional fields of any type, where an empty text means "nothing": `website: OrNull[Website] = None`.
OrNull = Annotated[T | None, BeforeValidator(_blank_as_null)]

# Texts of one line. Lengths are in characters, counted after cleaning; what is left empty is refused.
Short = Annotated[str, StringConstraints(min_length=1, max_length=60), BeforeValidator(_cleaned_line)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200), BeforeValidator(_cleaned_line)]
LongLine = Annotated[str, StringConstraints(min_length=1, max_length=1000), BeforeValidator(_cleaned_line)]
# Another system's name, and its id for a record.
System = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,49}$")]
ForeignId = Annotated[str, StringConstraints(min_length=1, max_length=255), BeforeValidator(_cleaned_line)]
# Texts of many lines.
LongText = Annotated[str, StringConstraints(min_length=1, max_length=20_000), BeforeValidator(_cleaned_text)]


# Letters that Unicode does not take apart into a base and a mark, as people without them on the keyboard type them.
_PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t"}
)
# Apostrophes vanish ("O'Brien", "O’Brien" and "OBrien" are one name), all dashes are one.
_PUNCTUATION = str.maketrans(dict.fromkeys("'’‘ʼ´`′", "") | dict.fromkeys("‐‑‒–—−", "-"))


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """The text as it is compared and sorted: no accents, no case, no apostrophes, white space collapsed.

    Never raises; drops what PostgreSQL could not take (control characters, lone surrogates). `fold("Ñandú  & Søn")` is
    "nandu & son"; folding twice changes nothing.
    """
    if text.isascii():
        text = text.lower().replace("'", "").replace("`", "")
    else:
        # Casefolding can bring new composed letters and decomposing new capitals, hence both, twice.
        text = unicodedata.normalize("NFKD", text.translate(_PUNCTUATION)).casefold()
        text = unicodedata.normalize("NFKD", text).casefold()
        text = "".join(char for char in text if not unicodedata.combining(char)).translate(_PLAIN)
        text = text.casefold().translate(_PUNCTUATION)
    if not text.isprintable():
        # Format characters, such as the soft hyphen, go; controls that are white space become a blank below.
        text = "".join(char for char in text if char.isspace() or unicodedata.category(char) not in ("Cc", "Cf", "Cs"))
    return " ".join(text.split())


def label_key(text: str) -> str:
    """A short text as it is told apart from others beside it: case and blanks do not count, accents do."""
    return " ".join(text.casefold().split())


def search_text(*parts: str | None) -> str:
    """What the words of a search are looked for in: the folded parts, those left out skipped, with blanks between."""
    return " ".join(folded for part in parts if part and (folded := fold(part)))


MOST_WORDS = 8
_AROUND_WORDS = '.,;:!?¡¿()[]{}<>"«»“”„'


def search_words(q: str) -> list[str]:
    """The words of a search, folded, without punctuation around them, each once, the first eight: the more there are,
    the less another one narrows what is found."""
    words = (word.strip(_AROUND_WORDS) for word in fold(q).split())
    return list(dict.fromkeys(word for word in words if word))[:MOST_WORDS]


def like_escape(text: str) -> str:
    """The text with LIKE's metacharacters escaped by a backslash, which is PostgreSQL's default escape."""
    return re.sub(r"([\\%_])", r"\\\1", text)


_TELEPHONE = re.compile(r"\+?\d[\d()./-]{5,}")


def word_patterns(word: str) -> list[str]:
    """LIKE patterns that find a folded word as it is; what could be a telephone number, also without punctuation."""
    digits = "".join(filter(str.isdigit, word)) if _TELEPHONE.fullmatch(word) else word
    return list(dict.fromkeys((f"%{like_escape(word)}%", f"%{like_escape(digits)}%")))


SHORTEST_WITH_WRONG_LETTER = 5
# What a folded text of ASCII consists of, the likeliest first.
FOLDED = string.ascii_lowercase + string.digits + ' -.,&@/_+#%()!"$*:;<=>?[\\]^{|}~'


def like_patterns(word: str) -> list[str]:
    """LIKE patterns, `%` on both sides, that find the folded word even if one letter of it is wrong.

    For words of five or more characters: one substituted, one missing, or one too many. A shorter word has only its
    exact pattern. In the middle of five ASCII characters, what is substituted is one of those too.
    """
    if len(word) < SHORTEST_WITH_WRONG_LETTER:
        return [f"%{like_escape(word)}%"]
    return list(dict.fromkeys(f"%{pattern}%" for pattern in _with_one_wrong(word)))


def _with_one_wrong(word: str) -> Iterator[str]:
    halves = [(like_escape(word[:at]), like_escape(word[at:])) for at in range(len(word) + 1)]
    for at in range(len(word)):
        before, after = halves[at][0], halves[at + 1][1]
        # Substituted; as `_` also stands for the right letter, the exact word too. Between two letters and two there is
        # nothing to look up in an index of three letters: PostgreSQL would read everything.
        between = map(like_escape, FOLDED) if at == len(word) - at - 1 == 2 and word.isascii() else "_"
        yield from (f"{before}{letter}{after}" for letter in between)
        yield f"{before}{after}"  # one too many in the word
    for before, after in halves[1:-1]:
        yield f"{before}_{after}"  # one missing in the word
