"""Runs management commands and pieces of Python beside a site, each in a fork of one process that has Django loaded.

Starting Python and Django takes two seconds or more, and the browser tests ask for it some sixty times. Requests come
as JSON lines on standard input, answers go as JSON lines to standard output.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from typing import Any, NoReturn


def _do(asked: dict[str, Any]) -> None:
    if "words" in asked:
        from django.core.management import execute_from_command_line

        execute_from_command_line(["manage.py", *asked["words"]])
    else:
        exec(compile(asked["code"], "<beside the site>", "exec"), {"__name__": "__main__"})


def _child(asked: dict[str, Any], given: int, out: int, err: int) -> NoReturn:
    """In the fork: standard streams are files, the exit status says how it went."""
    for source, stream in ((given, 0), (out, 1), (err, 2)):
        os.dup2(source, stream)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    status = 0
    try:
        _do(asked)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """{"rc", "out", "err"} of one request."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(asked.get("given", "").encode())
        given.seek(0)
        child = os.fork()
        if child == 0:
            _child(asked, given.fileno(), out.fileno(), err.fileno())
        _, status = os.waitpid(child, 0)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    return {"rc": os.waitstatus_to_exitcode(status), "out": texts[0], "err": texts[1]}


def main() -> None:
    import django

    django.setup()
    # What most requests need; no line to the database may be open here, for a fork would share it.
    import server.approvals.signing.services
    import server.readings.cases.opening
    import server.reconstructions.management.commands.import_study  # noqa: F401

    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
