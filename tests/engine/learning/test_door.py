"""The door stays light, and the shell's words are the ones scripts rely on."""

import json
import subprocess
import sys

import pytest

import recon_engine
from recon_engine import cli, recipes
from recon_engine.contract import AlgorithmDescription, InspectResult, IntakeFinding

HEAVY = ("torch", "vtk", "vtkmodules", "SimpleITK", "monai", "openvino", "numba")


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_describe_and_fit_load_nothing_heavy():
    loaded = python(
        "import sys, recon_engine, recon_engine.fit\n"
        "recon_engine.describe()\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    assert loaded.strip() == "[]"


def test_inspect_loads_no_network_library(tmp_path):
    (tmp_path / "note.txt").write_text("not an image")
    loaded = python(
        "import sys, recon_engine\n"
        f"recon_engine.inspect({str(tmp_path)!r})\n"
        "print([name for name in ('torch', 'vtk', 'vtkmodules', 'SimpleITK') if name in sys.modules])"
    )
    assert loaded.strip() == "[]"


def test_every_description_goes_to_json_and_back():
    for description in recipes.descriptions():
        assert AlgorithmDescription.from_dict(json.loads(description.to_json())) == description
        assert len({s.number for s in description.segments}) == len(description.segments)
        assert all(s.colour.startswith("#") and s.type.scheme == "SCT" for s in description.segments)


def test_describe_in_json_names_algorithms_inputs_segments_and_versions(capsys):
    assert cli.main(["describe", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    by_name = {a["name"]: a for a in answer["algorithms"]}
    assert {"bone-ct", "hippocampus-mr", "phantom-organs-ct"} <= set(by_name)
    for algorithm in by_name.values():
        assert algorithm["version"]
        assert algorithm["inputs"]
        assert algorithm["segments"][0]["label"]


def test_a_wrong_word_is_answered_in_json_with_code_and_exit_2(capsys):
    assert cli.main(["reconstruct", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "bad_request"
    assert "--help" in error["message"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["reconstruct", "x", "-o", "y", "--algorithm", "no-such"], "not_found"),
        (["reconstruct", "-o", "y", "--algorithm", "bone-ct"], "bad_request"),
        (["reconstruct", "x", "-o", "y", "--algorithm", "bone-ct", "--parameter", "broken"], "bad_request"),
        (["evaluate", "bone-ct", "--data", "x"], "not_found"),
        (["evaluate", "--all"], "bad_request"),
        (["evaluate", "phantom-organs-ct", "--data", "phantoms:many"], "bad_request"),
        (["train", "no-such", "--data", "x", "-o", "y"], "not_found"),
    ],
)
def test_refusals_have_stable_codes_and_exit_1(words, code, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main([*words, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == code
    assert list(tmp_path.iterdir()) == []


def test_without_json_the_reason_goes_to_stderr(capsys):
    assert cli.main(["evaluate", "bone-ct", "--data", "x"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "(not_found)" in said.err


def finding(**changes) -> IntakeFinding:
    values = {
        "key": "k",
        "series_instance_uid": "2.25.1",
        "study_instance_uid": "2.25.2",
        "modality": "CT",
        "description": "",
        "files": ("a", "b"),
        "shape": (2, 3, 4),
        "spacing_mm": (1.0, 1.0, 1.0),
        "verdict": "accept",
        "reasons": (),
        "message": "fine",
    }
    return IntakeFinding(**values | changes)


def test_inspection_counts_files_and_keeps_the_fixed_keys():
    (row,) = cli.inspection_rows(InspectResult(findings=(finding(),)))
    assert row["files"] == 2
    assert {"series_instance_uid", "modality", "shape", "spacing_mm", "verdict", "reasons", "message"} <= set(row)


def test_a_file_that_is_no_image_is_answered_too():
    (row,) = cli.inspection_rows(InspectResult(findings=(), ignored=(("a.dcm", "empty_file"),)))
    assert (row["verdict"], row["reasons"]) == ("refuse", ["empty_file"])
    assert row["series_instance_uid"] is None


def test_the_bar_writes_few_lines_to_a_log(capsys):
    import io

    from recon_engine.contract import Progress

    log = io.StringIO()
    bar = cli.Bar(log)
    for step in range(1000):
        bar(Progress(phase="infer", fraction=step / 1000))
    assert log.getvalue().count("\n") <= 2


def test_no_room_hides_a_verb_of_the_door():
    """A room named like a verb replaces it on first use, and the second call of a warm process would fail."""
    import pkgutil

    rooms = {room.name for room in pkgutil.iter_modules(recon_engine.__path__)}
    assert rooms & set(recon_engine.__all__) == set()
