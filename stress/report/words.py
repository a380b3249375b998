"""The words of a report: one TOML file a language, all with the same keys."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stress.summary.result_line import RESULT
from stress.toml import ScenarioError

__all__ = ["Words", "languages"]

FOLDER = Path(__file__).with_name("words")


def languages() -> list[str]:
    """Return the languages of the report, by their codes."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


class Words:
    """What a report says in one language.

    Parameters
    ----------
    lang : str
        One of `languages`.

    Raises
    ------
    ScenarioError
        For a language that there is no file of.
    """

    def __init__(self, lang: str):
        if lang not in languages():
            raise ScenarioError(f"--lang {lang}: unknown language; one of {', '.join(languages())}")
        self.lang = lang
        self.table: dict[str, Any] = tomllib.loads((FOLDER / f"{lang}.toml").read_text(encoding="utf-8"))

    def __call__(self, key: str, **values: Any) -> str:
        """Return the words of a dotted key, filled with values; a KeyError when the file lacks it."""
        found: Any = self.table
        for part in key.split("."):
            found = found[part]
        return found.format(**values) if values else found

    def get(self, key: str, otherwise: str) -> str:
        """Return the words of a key, or what is given in their place: names that a scenario chose stay as they are."""
        try:
            return self(key)
        except KeyError:
            return otherwise

    @property
    def caveats(self) -> Mapping[str, str]:
        """Sentences of `stress.summary.caveats` in this language; none where that module's own are meant."""
        return self.table.get("caveat", {})

    @property
    def result(self) -> Mapping[str, str]:
        """The line of the result in this language, as `stress.summary.result_line.RESULT`."""
        return self.table.get("result", RESULT)
