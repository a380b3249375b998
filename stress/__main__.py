"""``python -m stress`` is the command ``fundstress``."""

import sys

from stress.cli import main

sys.exit(main())
