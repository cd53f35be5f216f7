"""The limited process: answers as in process, survives what kills its child, and is bounded in memory and time."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from recon_engine.contract import EngineError, PrepareRequest, Progress
from recon_engine.intake import inspect, inspect_changes, prepare, read_volume, runner
from recon_engine.intake.limits import ProcessLimits
from tests.engine.intake import makers
from tests.engine.intake.makers import write_series


def test_the_child_answers_as_we_do(tmp_path: Path) -> None:
    source = write_series(tmp_path / "ct", intercept=-1024)
    assert inspect(source, in_process=False) == inspect(source, in_process=True)
    here, finding_here = read_volume(source, in_process=True)
    there, finding_there = read_volume(source, in_process=False)
    np.testing.assert_array_equal(here.voxels, there.voxels)
    np.testing.assert_array_equal(here.affine, there.affine)
    assert there.voxels.flags.writeable
    assert finding_here == finding_there
    assert inspect_changes(source, "1.2.3.4.1", "LAM-2")[0].tag == "(0008,0008)"


def test_prepare_in_the_child_reports_and_cancels(tmp_path: Path) -> None:
    source = write_series(tmp_path / "ct")
    request = PrepareRequest(
        source=str(source),
        out=str(tmp_path / "out"),
        pseudonym="L",
        uid_key="00" * 32,
        date_shift_days=0,
        keys=("1.2.3.4.1",),
    )
    steps: list[Progress] = []
    assert len(prepare(request, steps.append).series) == 1
    assert steps[-1].fraction == 1.0

    def stop(step: Progress) -> None:
        raise EngineError("cancelled", "Stopped.")

    with pytest.raises(EngineError, match="Stopped"):
        prepare(request, stop)


def test_paths_are_the_callers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_series(tmp_path / "ct")
    monkeypatch.chdir(tmp_path)
    assert inspect("ct").findings[0].verdict == "accept"
    request = PrepareRequest(
        source="ct", out="out", pseudonym="L", uid_key="00" * 32, date_shift_days=0, keys=("1.2.3.4.1",)
    )
    assert len(prepare(request).series) == 1
    assert (tmp_path / "out" / "series-000" / "prepared.json").is_file()


def test_a_killed_caller_leaves_no_child(tmp_path: Path) -> None:
    """The caller gets SIGKILL while its child waits for a call that we could still send; soon the child is gone."""
    code = (
        "import subprocess, sys, time;"
        "c = subprocess.Popen([sys.executable, '-m', 'recon_engine.intake.child'], stdin=int(sys.argv[1]));"
        "time.sleep(2); print(c.pid, flush=True); time.sleep(60)"
    )
    read_end, write_end = os.pipe()
    command = [sys.executable, "-c", code, str(read_end)]
    caller = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pass_fds=(read_end,))
    os.close(read_end)
    try:
        assert caller.stdout is not None
        child = int(caller.stdout.readline())
        status = Path(f"/proc/{child}/status")
        assert status.exists()
        caller.kill()
        caller.wait()
        caller.stdout.close()
        for _ in range(50):
            if not status.exists() or "State:\tZ" in status.read_text():
                return
            time.sleep(0.1)
        os.kill(child, signal.SIGKILL)
        pytest.fail("the child outlived its caller")
    finally:
        os.close(write_end)


def test_errors_of_the_child_come_back_with_their_code(tmp_path: Path) -> None:
    with pytest.raises(EngineError) as caught:
        inspect(tmp_path / "nothing")
    assert caught.value.code == "not_found"
    with pytest.raises(EngineError) as caught:
        read_volume(write_series(tmp_path / "ct", count=2))
    assert caught.value.code == "too_few_slices"
    assert caught.value.facts["reasons"] == ["too_few_slices"]


def test_a_file_that_kills_the_child_is_named_and_the_rest_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file sends the child SIGKILL from inside its parser; the series beside it is still accepted."""
    source = write_series(tmp_path / "ct")
    (source / "killer.nii").write_bytes(b"")
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'recon_engine.intake.survey':\n"
        "            sys.meta_path.remove(self)\n"
        "            import recon_engine.intake.niftirules as rules\n"
        "            rules.examine_nifti = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return None\n"
        "sys.meta_path.insert(0, Finder())\n"
    )
    import nibabel

    nibabel.save(nibabel.Nifti1Image(np.zeros((10, 10, 10), np.int16), np.eye(4)), source / "killer.nii")
    monkeypatch.setenv("PYTHONPATH", str(site))
    findings = inspect(source, in_process=False).findings
    assert [(f.verdict, f.files[0]) for f in findings if f.verdict == "refuse"] == [("refuse", "killer.nii")]
    assert [f.verdict for f in findings if f.modality == "CT"] == ["accept"]


def test_memory_over_the_limit_is_a_refusal_not_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMINA_INTAKE_MEMORY_MIB", "900")
    source = tmp_path / "big.nii"
    import nibabel

    nibabel.save(nibabel.Nifti1Image(np.zeros((8, 8, 8), np.float32), np.eye(4)), source)
    data = bytearray(source.read_bytes())
    np.frombuffer(data, "<i2", 8, 40)  # dim
    data[42:48] = np.array([700, 700, 700], "<i2").tobytes()
    with open(source, "wb") as file:
        file.write(data)
        file.truncate(700**3 * 4 + 352)  # a sparse 1.4 GB
    finding = inspect(source).findings[0]
    assert finding.verdict == "refuse"
    assert finding.reasons[0] in ("declared_size_over_limit", "parse_error")


def test_time_over_the_limit_ends_the_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProcessLimits, "from_environment", classmethod(lambda cls: cls(wall_seconds=0.02)))  # type: ignore[arg-type]
    monkeypatch.setattr(runner, "MOST_RESTARTS", 2)
    finding = inspect(write_series(tmp_path / "ct")).findings[0]
    assert (finding.verdict, finding.reasons) == ("refuse", ("declared_size_over_limit",))


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    source = write_series(tmp_path / "ct")
    inspect(source)
    read_volume(source)
    assert [path.name for path in tmp_path.iterdir()] == ["ct"]


def test_unpacked_files_lie_inside_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever owns `out` cleans up after a process that was killed: nothing may lie elsewhere."""
    seen: list[Path] = []
    real = runner.tempfile.mkdtemp
    monkeypatch.setattr(runner.tempfile, "mkdtemp", lambda **values: seen.append(Path(values["dir"])) or real(**values))
    source = write_series(tmp_path / "ct")
    request = PrepareRequest(
        source=str(source),
        out=str(tmp_path / "out"),
        pseudonym="L",
        uid_key="00" * 32,
        date_shift_days=0,
        keys=("1.2.3.4.1",),
    )
    prepare(request, in_process=True)
    assert seen == [tmp_path / "out"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["series-000"]


def test_the_limits_are_set_on_the_process() -> None:
    code = (
        "from recon_engine.intake.limits import ProcessLimits; import resource;"
        "ProcessLimits(address_space_bytes=1 << 31, cpu_seconds=7, file_bytes=1 << 20).apply();"
        "print(*[resource.getrlimit(k)[0] for k in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE,"
        "resource.RLIMIT_CORE)])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert [int(v) for v in out] == [1 << 31, 7, 1 << 20, 0]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1 << 20


def test_inspection_loads_neither_torch_nor_vtk(tmp_path: Path) -> None:
    source = write_series(tmp_path / "ct")
    code = (
        "import sys; from recon_engine.intake import inspect;"
        f"print(inspect({str(source)!r}, in_process=True).findings[0].verdict,"
        "[m for m in ('torch', 'vtk', 'django', 'numba') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "accept []"
    assert makers.ROWS == 16
