"""Who is in the book: one file per agent type, declared without Mesa and without numba."""

from stress.registry import import_siblings

import_siblings(__name__, __file__)
