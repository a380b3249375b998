"""The report of finished runs: one document to mail, to print or to open in a spreadsheet, in several languages."""

from stress.report.document import Document, Part, Section, document
from stress.report.dossier import dossier
from stress.report.finished import FinishedRun, load_run
from stress.report.formats import FORMATS
from stress.report.words import Words, languages

__all__ = [
    "FORMATS",
    "Document",
    "FinishedRun",
    "Part",
    "Section",
    "Words",
    "document",
    "dossier",
    "languages",
    "load_run",
]
