"""What moves the price without anybody in our exchange acting: one file per price process."""

from stress.registry import import_siblings

import_siblings(__name__, __file__)
