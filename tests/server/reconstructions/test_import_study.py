"""`manage.py import_study`: a path on the server becomes a study, once."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from django.core.management import CommandError, call_command

from server.accounts.models import Project
from server.jobs.models import Job
from server.reconstructions.models import Segmentation
from server.reconstructions.selectors import algorithms_for
from server.studies.models import Series, Study
from tests.server.studies.test_intake import PLANTED, head_ct

pytestmark = pytest.mark.django_db(transaction=True)


def run(*words: Any) -> str:
    out = io.StringIO()
    call_command("import_study", *map(str, words), stdout=out)
    return out.getvalue()


def refusal(*words: Any) -> str:
    with pytest.raises(CommandError) as refused:
        run(*words)
    return str(refused.value)


def test_an_unknown_project_fails_naming_the_known_ones(make_project: Any, tmp_path: Path) -> None:
    make_project(name="Sarcoma")
    make_project(name="Brains")
    words = refusal(tmp_path, "--project", "Sarkoma")
    assert "Brains, Sarcoma" in words
    assert "--create-project" in words
    assert not Project.objects.filter(name="Sarkoma").exists()


def test_a_new_project_needs_its_word(make_user: Any, tmp_path: Path) -> None:
    admin = make_user("admin", is_site_admin=True)
    head_ct(tmp_path / "ct")
    run(tmp_path / "ct", "--project", "New", "--create-project")
    project = Project.objects.get(name="New")
    assert project.memberships.get(user=admin).role == "admin"
    assert Study.objects.get().project == project


def test_from_a_folder_to_a_result_and_again(make_project: Any, tmp_path: Path) -> None:
    make_project(name="P")
    head_ct(tmp_path / "ct", PLANTED)
    words = run(tmp_path / "ct", "--project", "P", "--reconstruct", "bone-ct", "--wait")
    assert "LAM-0001 bone-ct: Bone" in words
    assert " mL" in words
    again = run(tmp_path / "ct", "--project", "P", "--reconstruct", "bone-ct", "--wait")
    assert again.count("already there") == 2
    assert (Study.objects.count(), Series.objects.count(), Segmentation.objects.count(), Job.objects.count()) == (
        1,
        1,
        1,
        1,
    )


def test_an_unknown_algorithm_stops_before_anything_is_written(make_project: Any, tmp_path: Path) -> None:
    make_project(name="P")
    head_ct(tmp_path / "ct")
    assert "bone-ct" in refusal(tmp_path / "ct", "--project", "P", "--reconstruct", "bone-mr")
    assert Study.objects.count() == 0


def test_nifti_says_what_it_is_by_modality(make_project: Any, tmp_path: Path) -> None:
    make_project(name="P")
    path = tmp_path / "doe_jane.nii.gz"
    voxels = np.arange(20 * 18 * 16, dtype=np.int16).reshape(20, 18, 16)
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([1.0, 1.0, 1.5, 1.0])), path)
    assert "--modality" in refusal(path, "--project", "P")
    run(path, "--project", "P", "--modality", "MR")
    series = Series.objects.get()
    assert (series.modality, series.shape, series.spacing_mm) == ("MR", [16, 18, 20], [1.5, 1.0, 1.0])
    assert "doe" not in f"{series.description} {series.finding} {series.study.description}".lower()
    words = refusal(path, "--project", "P", "--modality", "MR", "--reconstruct", "bone-ct")
    assert words == "The series is MR; bone-ct takes CT."
    assert Study.objects.count() == 1


def test_pictures_as_a_stack_know_no_millimetres_unless_told(make_project: Any, tmp_path: Path) -> None:
    from PIL import Image

    make_project(name="P")
    folder = tmp_path / "stack"
    folder.mkdir()
    for number in range(9):
        Image.fromarray(np.full((20, 24), 20 * number, np.uint8)).save(folder / f"{number:02d}.png")
    assert "--modality" in refusal(folder, "--project", "P", "--as-stack")
    assert "--as-stack" in refusal(folder, "--project", "P", "--spacing", "1,1,1")
    run(folder, "--project", "P", "--as-stack", "--modality", "CT")
    unknown = Series.objects.get()
    assert (unknown.is_volume, unknown.spacing_mm, unknown.volume["spacing_mm"]) == (True, None, None)
    assert "spacing_unknown" in unknown.finding["reasons"]
    run(folder, "--project", "P", "--as-stack", "--modality", "CT", "--reconstruct", "bone-ct", "--wait")
    assert all(segment.volume_ml is None for result in Segmentation.objects.all() for segment in result.segments.all())
    assert Study.objects.count() == 1


def test_a_path_that_is_not_there(make_project: Any, tmp_path: Path) -> None:
    make_project(name="P")
    assert "is not there" in refusal(tmp_path / "nothing", "--project", "P")


# --- real series ----------------------------------------------------------------------------------------------------

DATA = Path(os.environ.get("LAMINA_DATA") or "/nonexistent") / "dicom"
real = pytest.mark.skipif(not DATA.is_dir(), reason="LAMINA_DATA names no folder with real series")


@real
@pytest.mark.slow
def test_the_sarcoma_series_are_one_patient_and_offer_what_fits(make_project: Any) -> None:
    make_project(name="Sarcoma")
    words = run(DATA / "sts003_ct.zip", "--project", "Sarcoma", "--reconstruct", "bone-ct", "--wait")
    assert "Bone" in words
    for name, sentence in (("pet", "PET"), ("mr_t1", "MR")):
        run(DATA / f"sts003_{name}.zip", "--project", "Sarcoma")
        series = Series.objects.order_by("-created_at").first()
        assert series.is_volume
        offers = algorithms_for(series)
        assert offers
        assert all(reasons for _version, reasons in offers)
        assert sentence in " ".join(reason for _version, reasons in offers for reason in reasons)
    assert set(Study.objects.values_list("patient_number", flat=True)) == {1}


@real
@pytest.mark.slow
def test_the_tilted_head_is_corrected_and_says_so(make_project: Any) -> None:
    make_project(name="Heads")
    run(DATA / "ge_head_ct_gantry_tilt.zip", "--project", "Heads")
    series = Series.objects.get()
    assert series.is_volume
    assert {"gantry_tilt_corrected", "nonuniform_spacing_resampled"} <= set(series.finding["reasons"])


@real
@pytest.mark.slow
def test_scouts_are_kept_as_pictures_and_refused_as_a_volume(make_project: Any, api_client: Any) -> None:
    project = make_project(name="Scouts")
    run(DATA / "sunnybrook_scouts_3_planes.zip", "--project", "Scouts")
    series = Series.objects.get()
    assert not series.is_volume
    assert {"mixed_frames_of_reference", "mixed_orientations"} <= set(series.finding["reasons"])
    client = api_client(project.memberships.get().user)
    body = client.get(f"/api/series/{series.pk}/").json()
    assert len(body["urls"]["pictures"]) == 15
    picture = client.get(body["urls"]["pictures"][0])
    assert b"".join(picture).startswith(b"\x89PNG")
    assert all(reasons for _version, reasons in algorithms_for(series))
