"""`python -m recon_engine`: the same verbs in the shell."""

import sys

from recon_engine.cli import main

if __name__ == "__main__":
    sys.exit(main())
