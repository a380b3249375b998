"""The rulebook: one file per article, each a handful of rules and the settings that choose them."""

from stress.registry import import_siblings

import_siblings(__name__, __file__)
