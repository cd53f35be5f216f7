"""A report as a PDF: pure Python, seconds, no engine. "Not for clinical use" stands on every page."""

from __future__ import annotations

import html
import io
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Image, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

CHINESE = "STSong-Light"  # a font every PDF reader has or replaces, for Chinese alone: some replace it by one that
# has no Latin letters and figures, so those are Helvetica in both languages
LATIN, LATIN_BOLD = "Helvetica", "Helvetica-Bold"
INK, SECOND, LINE, CAUTION = HexColor("#14181D"), HexColor("#46505C"), HexColor("#DCE1E7"), HexColor("#8A5200")
MARGIN = 18 * mm
PICTURES_IN_A_ROW = 2
TALLEST = 95 * mm
# Characters the standard Latin fonts lack (PDF 32000-1, annex D).
REPLACED = str.maketrans({"\u202f": "\xa0", "\u2212": "\u2013", "\u2003": " "})


def make_pdf(content: Mapping[str, Any], read: Callable[[str], bytes]) -> tuple[bytes, int]:
    """(bytes, pages). `read` gives the bytes of a stored picture by its reference."""
    pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))
    styles = _styles(content["language"].startswith("zh"))
    out = io.BytesIO()
    frame = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=24 * mm,
        bottomMargin=20 * mm,
        title=f"{content['pseudonym']} {content['title']}",
        author="Lamina",
        subject=content["warning"],
        creator="Lamina",
    )
    width = A4[0] - 2 * MARGIN
    story: list[Any] = [_text(content["title"], styles["title"]), _facts(content["facts"], styles, width)]
    for table in content["tables"]:
        story += _table(table, styles, width)
    story += _pictures(content, styles, width, read)
    story.append(Spacer(1, 5 * mm))
    story += [_text(note, styles["second"]) for note in content["notes"]]
    pages = _Pages(content)
    frame.build(story, canvasmaker=pages.canvas)
    return out.getvalue(), pages.count


def _styles(chinese: bool) -> dict[str, ParagraphStyle]:
    lead = 2 if chinese else 0
    body = ParagraphStyle("body", fontName=LATIN, fontSize=9, leading=12 + lead, textColor=INK)
    if chinese:
        body.wordWrap = "CJK"
    return {
        "body": body,
        "number": ParagraphStyle("number", body, alignment=TA_RIGHT),
        "head": ParagraphStyle("head", body, fontName=LATIN_BOLD, textColor=SECOND),
        "head number": ParagraphStyle("head number", body, fontName=LATIN_BOLD, textColor=SECOND, alignment=TA_RIGHT),
        "second": ParagraphStyle("second", body, fontSize=8, leading=11 + lead, textColor=SECOND),
        "title": ParagraphStyle("title", body, fontName=LATIN_BOLD, fontSize=18, leading=26, spaceAfter=3 * mm),
        "section": ParagraphStyle("section", body, fontName=LATIN_BOLD, fontSize=12, leading=18, spaceBefore=5 * mm),
    }


def runs_of(text: str) -> list[tuple[bool, str]]:
    """The text in pieces: (needs the Chinese font, piece)."""
    return [
        (outside, "".join(piece)) for outside, piece in itertools.groupby(text.translate(REPLACED), key=_is_outside)
    ]


def plain(text: str) -> str:
    """The text as a paragraph takes it: nothing in it is markup, and Chinese has its own font."""
    return "".join(
        f'<font name="{CHINESE}">{html.escape(piece)}</font>' if outside else html.escape(piece)
        for outside, piece in runs_of(text)
    )


def _is_outside(character: str) -> bool:
    try:
        character.encode("cp1252")
    except UnicodeEncodeError:
        return True
    return False


def _text(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(plain(text), style)


def _facts(facts: Sequence[Sequence[str]], styles: Mapping[str, ParagraphStyle], width: float) -> Table:
    rows = [[_text(name, styles["head"]), _text(value, styles["body"])] for name, value in facts]
    table = Table(rows, colWidths=[width * 0.26, width * 0.74])
    table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("BOTTOMPADDING", (0, 0), (-1, -1), 1)]))
    return table


def _table(table: Mapping[str, Any], styles: Mapping[str, ParagraphStyle], width: float) -> list[Any]:
    numbers = set(table["numbers"])
    head = [_text(name, styles["head number" if at in numbers else "head"]) for at, name in enumerate(table["columns"])]
    rows = [
        [_text(value, styles["number" if at in numbers else "body"]) for at, value in enumerate(row)]
        for row in table["rows"]
    ]
    # A column is as wide as its longest text asks for, within reason.
    longest = [min(max(len(row[at]) for row in [table["columns"], *table["rows"]]), 40) + 4 for at in range(len(head))]
    made = Table([head, *rows], colWidths=[width * one / sum(longest) for one in longest], repeatRows=1)
    made.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
            ]
        )
    )
    title = _text(table["title"], styles["section"])
    note = [_text(table["note"], styles["second"])] if table["note"] else []
    # The heading never stands alone at the foot of a page.
    return [KeepTogether([title, *note, made])] if len(rows) < 12 else [title, *note, made]


def _pictures(
    content: Mapping[str, Any], styles: Mapping[str, ParagraphStyle], width: float, read: Callable[[str], bytes]
) -> list[Any]:
    images = content["images"]
    if not images:
        return []
    wide = width / PICTURES_IN_A_ROW - 2 * mm
    cells = []
    for image in images:
        scale = min(wide / image["width"], TALLEST / image["height"])
        size = {"width": image["width"] * scale, "height": image["height"] * scale}
        cells.append([Image(io.BytesIO(read(image["ref"])), **size), _text(image["caption"], styles["second"])])
    story: list[Any] = []
    for at in range(0, len(cells), PICTURES_IN_A_ROW):
        row = cells[at : at + PICTURES_IN_A_ROW]
        row += [""] * (PICTURES_IN_A_ROW - len(row))
        table = Table([row], colWidths=[width / PICTURES_IN_A_ROW] * PICTURES_IN_A_ROW)
        table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]))
        heading = [_text(content["images_title"], styles["section"])] if at == 0 else []
        story.append(KeepTogether([*heading, table]))
    return story


class _Pages:
    """Head and foot of every page; the number of pages is known only at the end."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content
        self.count = 0

    def canvas(self, *given: Any, **options: Any) -> Canvas:
        pages = self

        class Numbered(Canvas):  # type: ignore[misc]
            def __init__(self, *values: Any, **named: Any) -> None:
                super().__init__(*values, **named)
                self.kept: list[dict[str, Any]] = []

            def showPage(self) -> None:
                self.kept.append(dict(self.__dict__))
                self._startPage()

            def save(self) -> None:
                pages.count = len(self.kept)
                for number, page in enumerate(self.kept, start=1):
                    self.__dict__.update(page)
                    pages.dress(self, number)
                    super().showPage()
                super().save()

        return Numbered(*given, **options)

    def dress(self, canvas: Canvas, number: int) -> None:
        content = self.content
        width, height = A4
        page = content["page_of"].replace("{page}", str(number)).replace("{pages}", str(self.count))
        canvas.saveState()
        canvas.setFillColor(CAUTION)
        _draw(canvas, MARGIN, height - 14 * mm, content["warning"], 0)
        _draw(canvas, width / 2, 10 * mm, content["warning"], 0.5)
        canvas.setFillColor(SECOND)
        _draw(canvas, width - MARGIN, height - 14 * mm, content["pseudonym"], 1)
        _draw(canvas, MARGIN, 10 * mm, "Lamina", 0)
        _draw(canvas, width - MARGIN, 10 * mm, page, 1)
        canvas.setStrokeColor(LINE)
        canvas.line(MARGIN, height - 17 * mm, width - MARGIN, height - 17 * mm)
        canvas.restoreState()


def _draw(canvas: Canvas, x: float, y: float, text: str, share: float, size: float = 9) -> None:
    """One line at x: its start (share 0), middle (0.5) or end (1) stands there."""
    runs = [(CHINESE if outside else LATIN, piece) for outside, piece in runs_of(text)]
    widths = [canvas.stringWidth(piece, font, size) for font, piece in runs]
    at = x - share * sum(widths)
    for (font, piece), wide in zip(runs, widths, strict=True):
        canvas.setFont(font, size)
        canvas.drawString(at, y, piece)
        at += wide
