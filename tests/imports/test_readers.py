import io
import re
import zipfile

import pytest
from openpyxl import Workbook

from marketplace.imports import readers
from marketplace.imports.errors import FileError

TEXT = "Empresa;Què ofereix\nCafè l·lustre;Niños y «€»\n"


def book(*sheets):
    workbook = Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets:
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    output = io.BytesIO()
    workbook.save(output)
    return output.getvalue()


def with_entry(content, entry, change):
    """The workbook with one of its files changed."""
    output = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            data = old.read(item)
            new.writestr(item.filename, change(data) if item.filename == entry else data)
    return output.getvalue()


def cells(content, name=""):
    return [row.cells for row in readers.read(content, name).rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_survives_each_encoding(encoding):
    assert cells(TEXT.encode(encoding)) == [{"Empresa": "Cafè l·lustre", "Què ofereix": "Niños y «€»"}]


def test_undefined_bytes_of_windows_1252_do_not_stop_the_reading():
    text, encoding = readers.decode(b"caf\xe9 \x81")
    assert (text, encoding) == ("café \x81", "windows-1252")


def test_utf_16_that_is_cut_in_the_middle_is_refused():
    with pytest.raises(FileError, match="utf-16"):
        readers.read(TEXT.encode("utf-16")[:-1])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiter_is_found_and_quoted_lines_stay_whole(delimiter):
    content = f'a{delimiter}b\n"one, two; three\nfour"{delimiter}x\n'.encode()
    assert cells(content) == [{"a": "one, two; three\nfour", "b": "x"}]


def test_declared_delimiter_of_excel_is_taken():
    table = readers.read(b"sep=;\r\na;b\r\n1,5;2\r\n")
    assert [row.cells for row in table.rows] == [{"a": "1,5", "b": "2"}]
    assert table.rows[0].number == 3


def test_rows_are_numbered_as_a_spreadsheet_does_and_empty_ones_are_left_out():
    assert [row.number for row in readers.read(b"a,b\n1,2\n,\n3,4\n").rows] == [2, 4]


def test_row_with_too_many_cells_is_a_fault_of_that_row_only():
    one, two = readers.read(b"a,b\n1,2,3\n1,2\n").rows
    assert "1 cell more than the header" in one.faults[0] or one.faults
    assert two.faults == ()


def test_row_with_cells_missing_has_them_empty():
    (row,) = readers.read(b"a,b,c,d\n1\n").rows
    assert (row.cells.get("d", ""), row.faults) == ("", ())


def test_headers_that_are_empty_or_twice_get_names_of_their_own():
    assert readers.read(b"a,,a\n1,2,3\n").columns[0] == "a"
    assert len(set(readers.read(b"a,,a\n1,2,3\n").columns)) == 3


def test_nul_bytes_emoji_right_to_left_and_script_stay_harmless():
    (row,) = readers.read("a,b\nx\x00y\u202e,🧴 مرحبا <script>alert(1)</script>\n".encode()).rows
    assert row.cells == {"a": "xy\u202e", "b": "🧴 مرحبا <script>alert(1)</script>"}
    assert len(row.notes) == 1


def test_escaped_formula_of_our_export_comes_back_as_it_was():
    assert cells(b"a,b\n'=1+1,'=SUM(A1)\n") == [{"a": "=1+1", "b": "=SUM(A1)"}]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"  \n ",
        b"a,b\n",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"%PDF-1.4",
        b"\x89PNG\r\n",
        b"\x00\x01\x02" * 100,
        b'a,b\n"never closed,1\n' + b"x" * 200_000,
        b"PK\x03\x04 no archive",
        b"a" * (readers.MAX_BYTES + 1),
        b"a,b\n" + b"1,2\n" * (readers.MAX_ROWS + 1),
        b",".join(b"c%d" % number for number in range(readers.MAX_COLUMNS + 1)) + b"\n1\n",
        b"[{]",
        b'["a", 1]',
    ],
)
def test_file_that_is_no_table_is_refused_with_a_sentence(content):
    with pytest.raises(FileError) as refused:
        readers.read(content)
    assert str(refused.value.messages[0]).endswith((".", ")")) or refused.value.messages


def test_huge_cell_is_read_whole():
    assert len(cells(b"a,b\n" + b"x" * 100_000 + b",1\n")[0]["a"]) == 100_000


def test_jsonl_keeps_good_lines_and_names_the_bad_one():
    good, bad, none = readers.read(b'{"a": 1, "b": ["x", "y"], "c": null, "d": true}\n{"a":\n[1]\n').rows
    assert good.cells == {"a": "1", "b": "x; y", "c": "", "d": "true"}
    assert bad.faults
    assert none.faults


def test_json_lines_may_hold_a_line_separator_inside_a_text():
    assert len(readers.read('{"a": "x\u2028y"}\n{"a": "z"}\n'.encode()).rows) == 2


def test_deeply_nested_json_does_not_break_the_reader():
    (row,) = readers.read(b'{"a": 1}\n' + b'{"a":' * 100_000 + b"\n").rows[1:]
    assert row.faults


# --- XLSX -----------------------------------------------------------------------------------------------------------------


def test_workbook_gives_texts_numbers_and_dates():
    import datetime  # noqa: PLC0415

    content = book(("Respostes", [["Empresa", "Unitats", "Data", "Sí"], ["Cafè", 12.0, datetime.datetime(2020, 3, 24, 10, 15, 32), True]]))  # noqa: DTZ001
    assert cells(content) == [{"Empresa": "Cafè", "Unitats": "12", "Data": "2020-03-24 10:15:32", "Sí": "true"}]


def test_workbook_reads_the_first_sheet_with_rows_and_says_so():
    table = readers.read(book(("Buida", []), ("Dades", [["a"], ["1"]])))
    assert table.reading["sheet"] == "Dades"
    assert len(table.notes) == 1


def test_formula_without_a_stored_result_counts_as_empty_and_is_named():
    (row,) = readers.read(book(("x", [["a", "b"], ["=1+1", "text"]]))).rows
    assert row.cells == {"a": "", "b": "text"}
    assert "“a”" in row.notes[0]


def test_formula_with_a_stored_result_gives_the_result():
    content = with_entry(book(("x", [["a"], ["=1+1"]])), "xl/worksheets/sheet1.xml", lambda xml: re.sub(rb"</f><v ?/?>(</v>)?", b"</f><v>2</v>", xml))
    (row,) = readers.read(content).rows
    assert (row.cells, row.notes) == ({"a": "2"}, ())


def test_text_that_looks_like_a_formula_stays_a_text():
    workbook = Workbook()
    workbook.active.append(["a"])
    cell = workbook.active.cell(row=2, column=1, value="=HYPERLINK(1)")
    cell.data_type = "s"
    output = io.BytesIO()
    workbook.save(output)
    assert cells(output.getvalue()) == [{"a": "=HYPERLINK(1)"}]


def test_zip_bomb_is_refused_before_it_is_unpacked():
    content = with_entry(book(("x", [["a"], ["1"]])), "xl/worksheets/sheet1.xml", lambda xml: xml + b" " * (30 * 2**20))
    assert len(content) < 2**20
    with pytest.raises(FileError):
        readers.read(content)


def test_entities_are_not_expanded():
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    content = with_entry(book(("x", [["a"], ["1"]])), "xl/worksheets/sheet1.xml", lambda xml: bomb + xml.replace(b"<sheetData>", b"<sheetData>&b;"))
    with pytest.raises(FileError):
        readers.read(content)


def test_other_archive_is_refused():
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        archive.writestr("answers.csv", "a,b")
    with pytest.raises(FileError, match="ZIP"):
        readers.read(output.getvalue())
