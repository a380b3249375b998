"""A venue's own positions, from a stranger's file to a scenario: read, checked, written (docs/own_book.md).

The file is data and nothing else: it is read in batches, no part of it is executed, and memory does not grow with it
besides one number of eight bytes a position, by which duplicates are found, and for several symbols a few more,
by which wallets are added up.
"""

from stress.snapshot.intake import Request, take_in
from stress.snapshot.quality import Quality, Refused

__all__ = ["Quality", "Refused", "Request", "take_in"]
