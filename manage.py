#!/usr/bin/env python3
"""The door to Lamina. It needs only Python 3.11 to 3.13; what is missing it builds.

python3 manage.py demo      everything on this machine, with demo cases
python3 manage.py test      the test suite
"""

# This file is read by whatever Python a person has: keep its syntax plain.
import os
import sys


def main():
    if not (3, 11) <= sys.version_info[:2] < (3, 14):
        sys.stderr.write(
            "Lamina needs Python 3.11, 3.12 or 3.13 and this is Python %d.%d; install one of them and start "
            "Lamina with it, for example: python3.12 manage.py demo\n" % sys.version_info[:2]
        )
        return 1
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "server.settings")
    from deploy.door import enter

    return enter(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
