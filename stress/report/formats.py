"""A document as a file: HTML for screens and mail, PDF for print, a workbook for a spreadsheet, Markdown to edit."""

import io
from collections.abc import Callable
from typing import Any

from stress.report.document import Document
from stress.report.tables import Cell, shown
from stress.toml import ScenarioError

__all__ = ["FORMATS", "to_html", "to_markdown", "to_pdf", "to_xlsx"]

_SHEET, _WIDEST = 31, 60  # characters that Excel allows in a sheet's name; a column's width
_SHORT = 24


def to_html(document: Document) -> bytes:
    """Return one page that needs nothing else: style, pictures and data are inside."""
    made = _environment(autoescape=True, shown=shown, look=_look)
    return made.get_template("report.html").render(document=document, say=document.say).encode("utf-8")


def to_markdown(document: Document) -> bytes:
    """Return the document as text that can be edited and compared; figures are left out."""
    made = _environment(autoescape=False, cell=_plain_cell, rule=lambda numeric: "---:" if numeric else "---")
    return made.get_template("report.md").render(document=document).encode("utf-8")


def _environment(*, autoescape: bool, **filters: Callable[..., Any]) -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("stress.report"),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= filters
    return made


def _plain_cell(cell: Cell) -> str:
    """Write a cell of Markdown, in which a bar would end it."""
    return shown(cell).replace("|", "\\|")


def _look(numeric: bool, cell: Cell) -> Any:
    """Return the class of a cell: numbers stand right, and short texts are not broken."""
    from markupsafe import Markup

    if numeric:
        return Markup(' class="number"')
    return Markup(' class="short"') if isinstance(cell, str) and len(cell) <= _SHORT else ""


def to_pdf(document: Document) -> bytes:
    """Return the page as it is printed, A4.

    Raises
    ------
    ScenarioError
        Without the library, or the system's libraries that it draws text with.
    """
    try:
        from weasyprint import HTML
    except (ImportError, OSError) as error:
        need = "pip install 'fundstress[report]' and the system library Pango (Debian: libpangoft2-1.0-0)"
        raise ScenarioError(f"--format pdf needs {need}: {error}") from None
    return HTML(string=to_html(document).decode("utf-8")).write_pdf()


def to_xlsx(document: Document) -> bytes:
    """Return a workbook of one sheet a table, numbers as numbers.

    Raises
    ------
    ScenarioError
        Without the library.
    """
    try:
        from openpyxl import Workbook
    except ImportError:
        raise ScenarioError("--format xlsx needs openpyxl: pip install 'fundstress[report]'") from None
    book = Workbook()
    book.remove(book.active)
    several = len(document.parts) > 1
    for n, part in enumerate(document.parts):
        for table in (table for section in part.sections for table in section.tables):
            name = f"{n} {table.key}" if several else table.key
            _fill(book.create_sheet(name[:_SHEET]), f"{part.title}: {table.title}", table)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _fill(sheet: Any, title: str, table: Any) -> None:
    """Write a title, the head, the rows and the note; texts that begin with = stay texts."""
    from openpyxl.styles import Font

    rows = ((title,), table.head, *table.rows, *(((), (table.note,)) if table.note else ()))
    for r, row in enumerate(rows, 1):
        for c, value in enumerate(row, 1):
            cell = sheet.cell(r, c, value)
            if isinstance(value, str):
                cell.data_type = "s"
    for cell in (*sheet[1], *sheet[2]):
        cell.font = Font(bold=True)
    for c, column in enumerate(zip(table.head, *table.rows, strict=True), 1):
        width = max(len(shown(value)) for value in column)
        sheet.column_dimensions[sheet.cell(2, c).column_letter].width = min(_WIDEST, width + 2)
    sheet.freeze_panes = "B3"


#: Ending of the file, and what writes it.
FORMATS: dict[str, Callable[[Document], bytes]] = {
    "html": to_html,
    "pdf": to_pdf,
    "xlsx": to_xlsx,
    "md": to_markdown,
}
