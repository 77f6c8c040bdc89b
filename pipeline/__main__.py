"""``python -m edx2lrs.pipeline`` is ``edx2lrs``."""

import sys

from edx2lrs.pipeline.cli import main

if __name__ == "__main__":
    sys.exit(main())
