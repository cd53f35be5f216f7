"""python -m tests.benchmarks [ROW ...] [--json] [--list]

Runs the rows of every tests/benchmarks/rows_*.py, each in a process of its own. A module has
`ROWS: dict[str, Callable[[], dict | list[dict]]]`; a ROW on the command line is one of those names or how it begins.
Prints one table, or with --json one JSON list. Ends with 1 where a row failed, with 0 else: a goal that was missed is
written in its row, with the reason.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FIELDS = (
    *("name", "what", "ours_cpu_s", "ours_wall_s", "ours_peak_mib", "peer", "peer_version", "peer_cpu_s"),
    *("repeats", "spread", "ratio", "goal", "within_goal", "reason"),
)
_MARK = "rows: "


def modules() -> list[str]:
    """Names of the modules that hold rows, in order."""
    return sorted(p.stem for p in Path(__file__).parent.glob("rows_*.py"))


def known() -> tuple[dict[str, str], list[dict[str, Any]]]:
    """(group of rows -> its module, a failed row for each module that cannot be loaded here)."""
    found: dict[str, str] = {}
    broken: list[dict[str, Any]] = []
    for module in modules():
        code = f"import tests.benchmarks.{module} as m; print('{_MARK}' + ' '.join(m.ROWS))"
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
        names = next((line for line in done.stdout.splitlines() if line.startswith(_MARK)), "")
        found |= dict.fromkeys(names[len(_MARK) :].split(), module)
        if done.returncode:
            broken.append(failed(module, done.stderr))
    return found, broken


def failed(name: str, words: str) -> dict[str, Any]:
    """A row that says it did not run."""
    row: dict[str, Any] = dict.fromkeys(FIELDS)
    reason = "did not run: " + (words.strip().splitlines() or ["no word"])[-1][:300]
    return row | {"name": name, "what": "", "within_goal": False, "reason": reason}


def run_group(group: str, module: str) -> list[dict[str, Any]]:
    """The rows of one group, measured in a fresh process."""
    command = [sys.executable, "-m", "tests.benchmarks", "--run", module, group]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    line = next((line for line in done.stdout.splitlines() if line.startswith(_MARK)), "")
    if done.returncode or not line:
        return [failed(group, done.stderr or f"ended with {done.returncode}")]
    return json.loads(line[len(_MARK) :])


def run_here(module: str, group: str) -> None:
    made = importlib.import_module(f"tests.benchmarks.{module}").ROWS[group]()
    print(_MARK + json.dumps([made] if isinstance(made, dict) else list(made)))


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as the README shows them."""

    def number(value: Any) -> str:
        return "-" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)

    head = ("row", "ours CPU s", "wall s", "peak MiB", "peer", "peer CPU s", "ratio", "goal", "within", "reason")
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        peer = f"{row['peer'] or '-'} {row['peer_version'] or ''}".strip()
        cells = (row["name"], number(row["ours_cpu_s"]), number(row["ours_wall_s"]), number(row["ours_peak_mib"]), peer)
        cells += (number(row["peer_cpu_s"]), number(row["ratio"]), str(row["goal"] or "-"))
        cells += ("yes" if row["within_goal"] else "no", row["reason"] or "")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.benchmarks", description="Measure Lamina beside its peers.")
    parser.add_argument("rows", nargs="*", metavar="ROW")
    parser.add_argument("--json", action="store_true", help="one JSON list instead of a table")
    parser.add_argument("--list", action="store_true", help="name the rows and stop")
    parser.add_argument("--run", nargs=2, metavar=("MODULE", "GROUP"), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.run:
        run_here(*given.run)
        return 0
    groups, broken = known()
    if given.list:
        print("\n".join(groups))
        return 0
    wanted = [
        name for name in groups if not given.rows or any(name.startswith(r) or r.startswith(name) for r in given.rows)
    ]
    if given.rows and not wanted:
        print(f"No row {' '.join(given.rows)}. There are: {', '.join(groups)}.", file=sys.stderr)
        return 2
    rows = [] if given.rows else broken
    for place, group in enumerate(wanted, 1):
        print(f"[{place}/{len(wanted)}] {group}", file=sys.stderr, flush=True)
        rows += run_group(group, groups[group])
    hashes = sorted({str(row.pop("inputs_sha256")) for row in rows if row.get("inputs_sha256")})
    print(f"SHA-256 of the inputs: {', '.join(hashes)}", file=sys.stderr)
    print(json.dumps(rows, indent=1) if given.json else table(rows))
    return 1 if any((row["reason"] or "").startswith("did not run") for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
