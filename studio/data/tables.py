"""Tables of labels as people have them: which rows mean which pictures, and which columns can be asked."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from studio.data import names as naming
from studio.refused import Phrase, Refused

YES, NO = {"1", "1.0", "true", "yes"}, {"0", "0.0", "false", "no"}
YES |= {"예", "네", "있음", "있다", "참", "맞음", "はい", "是", "ja", "oui", "sí", "si", "да", "vrai", "wahr", "sim"}
NO |= {
    "아니오",
    "아니요",
    "아뇨",
    "없음",
    "없다",
    "거짓",
    "틀림",
    "いいえ",
    "否",
    "nein",
    "non",
    "нет",
    "faux",
    "falsch",
    "não",
}
MINUS = {"-1", "-1.0"}  # "no" in CelebA's tables, which have no 0
UNKNOWN = {"", "nan", "na", "n/a", "none", "null", "?", "-", "모름", "unknown"}
SIGNS_YES = {"y", "t", "o", "○", "✓", "✔", "v", "유", "ㅇ", "on"}  # where a column has nothing else
SIGNS_NO = {"n", "f", "x", "×", "✗", "✘", "무", "off"}
FILE_COLUMNS = (
    "file", "filename", "file_name", "image_id", "image", "name", "path", "img", "image_name", "imagename", "picture",
    "photo", "id", "filepath", "file_path", "파일", "파일명", "파일이름", "파일_이름", "이미지", "사진", "사진명",
    "그림",
)  # fmt: skip
ENDINGS = (".csv", ".tsv", ".txt", ".tab")
MOST_TEXT = 64 << 20  # bytes of a table
NUMBER = re.compile(r"\d{1,4}(\.0)?")  # of a class
FEW = 12  # words, or numbers, of a column that is taken for labels when nobody says


class Table(NamedTuple):
    name: str
    header: list[str]  # spaces in names are underscores
    rows: list[list[str]]
    lines: list[int]  # the number that an editor shows beside each row
    file: int  # the column with the files' names


class Lookup:
    """The pictures that a cell of a table may mean: a name with or without its folder, in another case, with another
    ending or none, or without the zeros that a spreadsheet takes off."""

    def __init__(self, pictures: Sequence[str]) -> None:
        self.count = len(pictures)
        self.levels: list[dict[str, list[str]]] = [{} for _ in range(5)]
        for picture in pictures:
            for level, key in zip(self.levels, _keys(picture), strict=True):
                level.setdefault(key, []).append(picture)

    def __call__(self, cell: str) -> list[str]:
        return self.ranked(cell)[0]

    def ranked(self, cell: str) -> tuple[list[str], int]:
        """(the pictures, by how much of the name they were found: 0 = all of it)."""
        cell = naming.clean(cell.strip().strip("\"'"))
        if not cell:
            return [], 9
        # A name without an ending is one; what looks like an ending there, as in 3.5, may be part of it.
        for rank, (level, key) in enumerate(zip(self.levels, _keys(cell), strict=True)):
            found = level.get(key) or (level.get(PurePosixPath(cell).name.casefold()) if rank == 3 else None)
            if found:
                return _nearest(cell, found), rank
        return [], 9


def _keys(name: str) -> tuple[str, ...]:
    path = PurePosixPath(name)
    bare = path.stem.casefold() if path.suffix.lower() in naming.PICTURES else path.name.casefold()
    number = str(int(bare)) if bare.isdecimal() and len(bare) < 30 else f"\0{bare}"
    return name, path.name, path.name.casefold(), bare, number


def _nearest(cell: str, found: list[str]) -> list[str]:
    """Of several of one name those whose folders the cell names, too."""
    if len(found) == 1 or "/" not in cell:
        return found
    told = PurePosixPath(cell).parent.parts
    fits = {name: _shared(told, PurePosixPath(name).parent.parts) for name in found}
    return [name for name in found if fits[name] == max(fits.values()) > 0] or found


def _shared(one: Sequence[str], two: Sequence[str]) -> int:
    k = 0
    while k < min(len(one), len(two)) and one[-1 - k].casefold() == two[-1 - k].casefold():
        k += 1
    return k


def tables_of(files: Any, pictures: Sequence[str]) -> tuple[list[Table], dict[str, str]]:
    """(the tables whose rows mean pictures, why other texts are ignored).

    Raises:
        ValueError: a table with a row of too few or too many cells, or with a column that comes twice.
    """
    find, found, ignored = Lookup(pictures), [], {}
    for name in files.names:
        if not name.lower().endswith(ENDINGS):
            continue
        why: str | None = None
        try:
            table = read_table(files, name, find)
        except Refused as error:
            if error.code != "data.encoding":
                raise
            table, why = None, Phrase(error.code, **error.values)
        if table is None:
            ignored[name] = why or Phrase("skipped.noTable")
        else:
            found.append(table)
    return found, ignored


def text_of(content: bytes, name: str) -> str:
    """A text in whatever encoding a spreadsheet or an editor saved it.

    Raises:
        ValueError: none of those.
    """
    marks = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
    first = next((encoding for mark, encoding in marks.items() if content.startswith(mark)), "utf-8")
    for encoding in (first, "cp949", "cp1252"):
        try:
            return unicodedata.normalize("NFC", content.decode(encoding))
        except UnicodeDecodeError:
            continue
    raise Refused("data.encoding", file=name)


def read_table(files: Any, name: str, find: Lookup | None = None) -> Table | None:
    """A table with a row a picture; None = another text, or a table of something else.

    A CSV with commas, semicolons, tabs or bars, with or without a header, or CelebA's text form: a count, the names,
    then a file and its values a line. The column of files is the one that names most pictures.

    Args:
        find: the pictures; None = the first column, or the one that is called so, has the files.

    Raises:
        ValueError: of a table of pictures, a row with too few or too many cells, or a column that comes twice.
    """
    content = files.read(name)
    if len(content) > MOST_TEXT:
        return None
    rows, lines = _cells(text_of(content, name), name.lower().endswith(".txt"))
    if len(rows) < 2 or len(rows[0]) < 2:
        return None
    headless = find is not None and any(find.ranked(cell)[1] <= 2 for cell in rows[0])
    if headless:  # nobody calls a column 1.png
        rows, lines = [_unnamed(rows, find), *rows], [0, *lines]
    header = [cell.replace(" ", "_") for cell in rows[0]]
    header = [column or f"column_{k + 1}" for k, column in enumerate(header)]
    body = [(row, line) for row, line in zip(rows[1:], lines[1:], strict=True) if any(row)]
    file = _file_column(header, [row for row, _ in body if len(row) == len(header)], find)
    if file is None:
        return None
    twice = [column for column, count in Counter(header).items() if count > 1]
    sure = find is None or header[file].lower() in FILE_COLUMNS
    if not sure:  # whole names, or most of the pictures by their numbers: a table of losses has numbers, too
        ranked = [find.ranked(row[file]) for row, _ in body if len(row) > file]
        sure = any(rank <= 2 for _, rank in ranked)
        told = {each for found, _ in ranked for each in found}
        if not sure and (2 * len(told) < find.count or twice or {len(row) for row, _ in body} != {len(header)}):
            return None
    if twice:
        raise Refused("data.twins", file=name, column=twice[0])
    for row, line in body:
        if len(row) > len(header) and not any(row[len(header) :]):  # a spreadsheet's empty columns
            del row[len(header) :]
        if len(row) != len(header):
            raise Refused("data.cells", file=name, line=line, n=len(row), header=len(header))
    return Table(PurePosixPath(name).name, header, [row for row, _ in body], [line for _, line in body], file)


def _cells(text: str, plain: bool) -> tuple[list[list[str]], list[int]]:
    """(rows of cells, the header first, and the number of the line of each)."""
    lines = text.splitlines()
    if plain and len(lines) >= 3 and lines[0].strip().isdigit():  # CelebA
        rows = [line.split() for line in lines[1:]]
        if len(rows[0]) == len(rows[1]) - 1:
            rows[0].insert(0, "file")
        return rows, list(range(2, len(lines) + 1))
    said = re.match(r"\s*\"?sep=(.)\"?\s*(?:\r?\n|$)", text, re.I)  # of Excel
    skip = 0
    if said:
        text, skip = text[said.end() :], 1
        separator = said[1]
    else:
        first = next((line for line in lines if line.strip()), "")
        separator = max(",;\t|", key=first.count)
        if plain and first.count(separator) == 0:
            separator = " "
    reader = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
    rows, numbers = [], []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row if separator != " " or cell]
            if any(cells) or rows:
                rows.append(cells)
                numbers.append(reader.line_num + skip)
    except csv.Error:  # no table
        return [], []
    return rows, numbers


def _unnamed(rows: list[list[str]], find: Lookup) -> list[str]:
    """A header for a table that has none."""
    at = next(k for k, cell in enumerate(rows[0]) if find.ranked(cell)[1] <= 2)
    rest = len(rows[0]) - 1
    return ["file" if k == at else "label" if rest == 1 else f"label_{k + 1}" for k in range(len(rows[0]))]


def _file_column(header: list[str], rows: list[list[str]], find: Lookup | None) -> int | None:
    named = [k for k, column in enumerate(header) if column.lower() in FILE_COLUMNS]
    if find is None:
        return named[0] if named else 0
    for k in named:  # all of its pictures may be gone
        if 2 * sum(PurePosixPath(row[k]).suffix.lower() in naming.PICTURES for row in rows) > len(rows):
            return k
    scores = []
    for k in range(len(header)):
        ranks = {tuple(pictures): rank for row in rows for pictures, rank in [find.ranked(row[k])] if pictures}
        scores.append((sum(1 if rank > 2 else 2 for rank in ranks.values()), k in named, -k))
    best = max(scores, default=(0, False, 0))
    if best[0] == 0:
        return named[0] if named and header[named[0]].lower() not in ("name", "id", "path") else None
    return -best[2]


# ---- columns --------------------------------------------------------------------------------------------------------


def _column_cells(table: Table, k: int) -> set[str]:
    return {row[k].lower() for row in table.rows}


def is_plain(table: Table, k: int) -> bool:
    """Whether a column says yes and no, in whatever way."""
    cells = _column_cells(table, k) - UNKNOWN
    if cells <= YES | NO | MINUS:
        return True
    return cells <= YES | NO | SIGNS_YES | SIGNS_NO and bool(cells & (YES | SIGNS_YES))


def _numbered(table: Table, k: int) -> dict[str, str]:
    """Of a column of a few whole numbers, such as 0 to 4: cell -> name of the class, ``level_3``."""
    cells = {row[k] for row in table.rows} - UNKNOWN
    if not all(NUMBER.fullmatch(cell) for cell in cells):
        return {}
    counts = {int(float(cell)) for cell in cells}
    if not 2 <= len(counts) <= 64 or counts <= {0, 1} or len(counts) >= len(table.rows):
        return {}
    return {cell: f"{table.header[k]}_{int(float(cell))}" for cell in cells}


def all_of(table: Table) -> str:
    """A notation of all that a table can be asked: its columns of yes and no, and its columns of a few words."""
    found: list[str] = []
    for k, name in enumerate(table.header):
        if k == table.file or name.lower() == "source" or re.search(r"[|/]", name):
            continue
        if is_plain(table, k):
            if _column_cells(table, k) & (YES | SIGNS_YES):
                found.append(name)
            continue
        words = sorted({row[k].replace(" ", "_") for row in table.rows if is_word(row[k])})
        numbers = sorted(set(_numbered(table, k).values()), key=lambda each: int(each.rpartition("_")[2]))
        each = words or numbers
        if (
            2 <= len(each) <= FEW
            and len(each) < max(3, len(table.rows))
            and not any(re.search(r"[|/]", w) for w in each)
        ):
            found.append("|".join(each))
    return " ".join(found)


def is_word(cell: str) -> bool:
    return cell.lower() not in YES | NO | MINUS | UNKNOWN and not re.fullmatch(r"-?[0-9.]+(e-?[0-9]+)?", cell.lower())


def words_of(table: Table) -> dict[str, list[int]]:
    """Words in the cells -> the columns they are in; not those of the column of files, nor of free text."""
    found: dict[str, list[int]] = {}
    for k in range(len(table.header)):
        if k == table.file:
            continue
        words = {row[k] for row in table.rows if is_word(row[k])} if not is_plain(table, k) else set()
        words = words if words else set(_numbered(table, k).values())
        if len(words) <= 64:
            for word in words:
                found.setdefault(word.replace(" ", "_"), []).append(k)
    return found


def offered(table: Table) -> list[str]:
    """What a label may be called: columns of yes and no, and the words in columns of words."""
    words = words_of(table)
    worded = {k for places in words.values() for k in places}
    plain = [k for k in range(len(table.header)) if k != table.file and k not in worded]
    return [table.header[k] for k in plain if is_plain(table, k)] + sorted(words)


def finds(table: Table, name: str) -> bool:
    return name in table.header or name in words_of(table)


def column_of(table: Table, name: str) -> tuple[int, str | None]:
    """(column, None) for a column of yes and no, (column, word) for a word in a column of words."""
    if name in table.header and table.header.index(name) != table.file:
        return table.header.index(name), None
    places = words_of(table)[name]
    if len(places) > 1:
        both = " and ".join(table.header[k] for k in places)
        raise Refused("data.ambiguous", file=table.name, name=name, columns=both)
    return places[0], name


def signs_of(table: Table, columns: list[int]) -> bool:
    """Whether "no" is written -1, as in CelebA, and not 0."""
    cells = {row[k].lower() for row in table.rows for k in columns}
    if cells & MINUS and cells & {"0", "0.0"}:
        raise Refused("data.signs", file=table.name)
    return bool(cells & MINUS)


def value_of(table: Table, number: int, row: list[str], column: int, word: str | None, signed: bool) -> float:
    """1, 0 or NaN: what a row says of a label; ``number``: of its line."""
    cell = row[column]
    if cell.lower() in UNKNOWN:
        return np.nan
    if word is not None:
        if is_word(cell):
            return float(cell.replace(" ", "_") == word)
        return float(NUMBER.fullmatch(cell) is not None and f"{table.header[column]}_{int(float(cell))}" == word)
    if cell.lower() in YES | SIGNS_YES:
        return 1.0
    if cell.lower() in NO | SIGNS_NO | (MINUS if signed else set()):
        return 0.0
    raise Refused("data.label", file=table.name, line=number, column=table.header[column], cell=cell[:40])
