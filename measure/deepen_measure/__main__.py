"""`python -m deepen_measure`."""

import sys

from deepen_measure.cli import main

sys.exit(main())
