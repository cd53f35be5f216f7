"""The benchmark runner finds its rows, runs them apart from each other and says what failed. Nothing is timed here."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tests.benchmarks import __main__ as runner
from tests.benchmarks.inputs import LABELS, make_ct


def test_every_module_names_its_rows():
    assert "rows_geometry" in runner.modules()
    groups, _ = runner.known()
    assert {"chain", "resample", "ball", "same_bytes", "size"} <= {g for g, m in groups.items() if m == "rows_geometry"}


def test_a_row_that_fails_is_a_row_that_says_so():
    rows = runner.run_group("no such row", "rows_geometry")
    assert rows[0]["reason"].startswith("did not run")
    assert rows[0]["within_goal"] is False
    assert set(rows[0]) == set(runner.FIELDS)
    assert "no such row" in runner.table(rows)


def test_an_unknown_row_is_refused_with_the_known_ones(capsys):
    assert runner.main(["unicorn"]) == 2
    assert "chain" in capsys.readouterr().err


def test_the_inputs_come_from_the_seed():
    shape, spacing = (60, 64, 64), (6.5, 6.25, 6.25)
    hu, labels = make_ct(shape, spacing)
    again = make_ct(shape, spacing)
    assert np.array_equal(hu, again[0])
    assert np.array_equal(labels, again[1])
    assert len(np.unique(labels)) > LABELS * 0.7
    assert hu.dtype == np.int16


@pytest.mark.slow
def test_one_group_runs_from_the_command_line(tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_BENCH_SIZE", "small")
    monkeypatch.setenv("LAMINA_BENCH_FOLDER", str(tmp_path))
    command = [sys.executable, "-m", "tests.benchmarks", "same_bytes", "size", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["same_bytes"]["within_goal"]
    assert rows["same_bytes"]["ratio"] == 1.0
    assert set(runner.FIELDS) == set(rows["size_of_ct"])
    assert "SHA-256" in done.stderr
