"""How is a CSV file read: which encoding, which delimiter, which columns, which rows?"""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator

from app.domain.entities.mapping import ImportOptions
from app.errors import Invalid

MOST_ROWS, MOST_COLUMNS, LONGEST_CELL = 100_000, 200, 32_768
# Enough of a file to find its header and its delimiter in.
SAMPLE = 65_536
# A line behind the last one, in letters for private use.
_END = "\ue000\uf8ff\ue000"
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def header_of(content: bytes, options: ImportOptions) -> list[str]:
    """The names of the columns. Raises `Invalid`, like all here, with what is wrong with the file."""
    sample = content[:SAMPLE]
    if len(content) > SAMPLE:
        # Whole lines only, so that no character is cut in two. The line end of UTF-16 would be another.
        wide = options.encoding == "utf-16" or sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        sample = sample if wide else sample[: sample.rfind(b"\n") + 1] or sample
    text = decoded(sample, options.encoding)
    return next(_header(csv.reader(io.StringIO(text, newline=""), delimiter=options.delimiter or delimiter_of(text))))


def rows_of(content: bytes, options: ImportOptions) -> Iterator[tuple[int, list[str]]]:
    """The header, then each row that is not blank, with its number as a spreadsheet shows it: the header is row 1."""
    csv.field_size_limit(LONGEST_CELL)
    text = decoded(content, options.encoding)
    delimiter = options.delimiter or delimiter_of(text[:SAMPLE])
    reader = csv.reader(io.StringIO(f"{text}\n{_END}", newline=""), delimiter=delimiter)
    del text
    found = 0
    try:
        yield 1, next(_header(reader))
        for number, cells in enumerate(reader, 2):
            if cells and cells[-1].endswith(_END):
                if cells == [_END]:
                    return
                raise csv.Error  # a quote is open still: all rows behind it are in this cell
            if any(map(str.strip, cells)):
                found += 1
                if found > MOST_ROWS:
                    raise _bad(f"The file has more than {MOST_ROWS} rows", "too_many_rows")
                yield number, cells
    except csv.Error:
        raise _bad(
            f"A cell has more than {LONGEST_CELL} characters, or a quote is not closed", "cell_too_long"
        ) from None


def decoded(content: bytes, encoding: str | None = None) -> str:
    """The text of a file: by its byte order mark, else as strict UTF-8, else as Windows writes it in the West."""
    for mark, by_mark in _MARKS:
        if content.startswith(mark):
            encoding = by_mark
            break
    try:
        return content.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        if encoding:
            raise _bad("The file is not written in this encoding", "encoding") from None
    return content.decode("cp1252", errors="replace")


def delimiter_of(text: str) -> str:
    """The delimiter by which most of the first lines have as many cells; of several the one that makes more."""

    def fit(delimiter: str) -> tuple[float, int]:
        try:
            sizes = [
                len(row)
                for row, _ in zip(
                    csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), range(50), strict=False
                )
                if row
            ]
        except csv.Error:
            return 0, 0
        size, times = Counter(sizes).most_common(1)[0] if sizes else (0, 0)
        return (times / len(sizes), size) if size > 1 else (0, 0)

    return max((",", ";", "\t", "|"), key=fit)


def _header(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        names = [name.strip().strip("\ufeff") for name in next(reader, [])]
    except csv.Error:
        raise _bad("The first row cannot be read", "header") from None
    while names and not names[-1]:
        names.pop()
    if not any(names):
        raise _bad("The file is empty: its first row names the columns", "header")
    if len(names) > MOST_COLUMNS:
        raise _bad(f"The file has more than {MOST_COLUMNS} columns", "header")
    if not all(names) or len(set(names)) < len(names):
        raise _bad("Each column needs a name of its own in the first row", "header")
    yield names


def _bad(detail: str, code: str) -> Invalid:
    return Invalid(detail, code=code)
