"""Makes the lists of students that the tests read: python make.py, with openpyxl 3.1.

The workbooks of `openpyxl` have shared strings, dates and formats as LibreOffice writes them. `excel.xlsx` is put
together here as Excel writes its parts: rich text, phonetic hints, the value of a formula, rows without positions of
their own, and a sheet that is hidden.
"""

import datetime
import pathlib
import zipfile

import openpyxl
from openpyxl.styles import Font

HERE = pathlib.Path(__file__).parent
STAMP = (2026, 8, 31, 0, 0, 0)


def simple():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Klasse 5A"
    sheet.append(["Klassenliste 2026/27"])
    sheet.append([])
    sheet.append(["Nr.", "Name", "Vorname", "Klasse", "Eintritt", "Bemerkung"])
    rows = [
        (17, "Müller", "Jörg", "5A", datetime.date(2026, 8, 31), "x"),
        (18.0, "Rao-Iyer", "Asha\nDevi", "5A; Chor", None, None),
        ("019", "Nguyễn", "Thị Minh", "5B", datetime.datetime(2026, 9, 1), None),
    ]
    for row in rows:
        sheet.append(row)
    sheet["A4"].number_format = "000"
    sheet["A1"].font = Font(bold=True)
    other = book.create_sheet("Lehrer")
    other.append(["Personalnummer", "Name"])
    other.append([1, "Frau Schmidt"])
    book.save(HERE / "libreoffice.xlsx")


def broken():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Roll no", "Name", "From", "Until"])
    sheet.append([datetime.date(2026, 2, 1), "Made a date", None, None])
    sheet.append([1234567890123456789, "Rounded", None, None])
    sheet.append(["#N/A", "Typed", None, None])
    sheet.append([5, "Later than the end", datetime.date(2026, 9, 1), datetime.date(2026, 8, 1)])
    sheet.append([6, None, None, None])
    sheet["A4"].data_type = "e"
    book.save(HERE / "broken.xlsx")


PARTS = {
    "[Content_Types].xml": """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels"
ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml"
ContentType="application/xml"/><Override PartName="/xl/workbook.xml"
ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>""",
    "_rels/.rels": """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"
Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
Target="xl/workbook.xml"/></Relationships>""",
    "xl/workbook.xml": """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><workbookPr date1904="0"/><sheets>
<sheet name="Settings" sheetId="1" state="hidden" r:id="rId1"/><sheet name="Students" sheetId="2" r:id="rId2"/>
</sheets></workbook>""",
    "xl/_rels/workbook.xml.rels": """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
Target="worksheets/sheet1.xml"/><Relationship Id="rId2"
Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet2.xml"/>
<Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
Target="sharedStrings.xml"/><Relationship Id="rId4"
Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/>
</Relationships>""",
    "xl/sharedStrings.xml": """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="6" uniqueCount="6"><si><t>Roll Number</t>
</si><si><t>Full Name</t></si><si><t>Group</t></si><si><r><rPr><b/></rPr><t xml:space="preserve">Ben </t></r><r>
<t>Ito</t></r></si><si><t>山田太郎</t><rPh sb="0" eb="2"><t>ヤマダ</t></rPh></si><si><t>R&amp;D;Night_x000D_</t></si></sst>""",
    "xl/styles.xml": """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="1"><numFmt numFmtId="164"
formatCode="00000"/></numFmts><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1">
<border/></borders><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="164" applyNumberFormat="1"/></cellXfs>
</styleSheet>""",
    "xl/worksheets/sheet1.xml": """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1">
<v>1</v></c></row></sheetData></worksheet>""",
    "xl/worksheets/sheet2.xml": """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:C1048576"/><sheetData>
<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c></row>
<row r="2"><c r="A2" s="1"><v>42</v></c><c r="B2" t="s"><v>3</v></c><c r="C2" t="s"><v>5</v></c></row>
<row><c s="1"><f>A2+1</f><v>43</v></c><c t="s"><v>4</v></c></row>
<row r="9"><c r="A9" t="str"><f>"X"&amp;44</f><v>X44</v></c><c r="B9" t="inlineStr"><is><t>Zoë</t></is></c></row>
</sheetData></worksheet>""",
}


def packed(path, parts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, STAMP), text, zipfile.ZIP_DEFLATED)


def far_cell():
    sheet = PARTS["xl/worksheets/sheet2.xml"].replace("</sheetData>", """<row r="1048576"><c r="XFD1048576"><v>1</v></c>
</row></sheetData>""")
    packed(HERE / "far-cell.xlsx", PARTS | {"xl/worksheets/sheet2.xml": sheet})


simple()
broken()
packed(HERE / "excel.xlsx", PARTS)
far_cell()
