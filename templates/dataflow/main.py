"""What the flex template's launcher starts: `edx2lrs run` with the parameters of the launch."""

import sys

from edx2lrs.pipeline.cli import main

if __name__ == "__main__":
    runner = [] if any(argument.startswith("--runner") for argument in sys.argv) else ["--runner=DataflowRunner"]
    sys.exit(main(["run", *sys.argv[1:], *runner]))
