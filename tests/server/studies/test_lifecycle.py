"""From import to erase: rows, audit and events together; what is erased is gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from server.core import storage
from server.core.errors import LaminaError
from server.core.models import AuditEntry, DataKey, StoredObject
from server.core.secrets import KeyDestroyed
from server.jobs.models import Job
from server.realtime.selectors import events_after
from server.studies import importing, services
from server.studies.models import Instance, Patient, Series, Study
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def test_an_import_writes_rows_audit_and_events_together(make_project: Any, make_study: Any) -> None:
    project = make_project()
    study = make_study(project)
    series = study.series.get()
    assert (study.pseudonym, study.modalities, series.slices) == ("LAM-0001", ["CT"], 10)
    assert Instance.objects.filter(series=series).count() == 3
    assert storage.size(series.voxels_ref) == 10 * 6 * 5 * 2
    acts = AuditEntry.objects.filter(project_id=project.pk).values_list("act", flat=True)
    assert {"study.created", "series.imported"} <= set(acts)
    types = [event["type"] for event in events_after(study.stream, 0).events]
    assert types == ["series.imported", "study.changed"]
    created = [e for e in events_after(f"project:{project.pk}", 0).events if e["type"] == "study.created"]
    assert [e["payload"]["study_id"] for e in created] == [str(study.pk)]


def test_an_import_that_cannot_tell_writes_nothing(
    make_project: Any, import_series: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("no event")

    project = make_project()
    before = AuditEntry.objects.count()
    monkeypatch.setattr(importing, "publish", fail)
    with pytest.raises(RuntimeError):
        import_series(project)
    assert (Study.objects.count(), Series.objects.count(), AuditEntry.objects.count()) == (0, 0, before)


def test_the_same_images_again_make_no_second_study(make_project: Any, import_series: Any) -> None:
    project = make_project()
    first = import_series(project, study="a", content=7)
    again = import_series(project, study="a", content=7)
    assert (again.series_ids, again.already, again.study_ids) == ([], first.series_ids, first.study_ids)
    # Packed as another study, the images are still the same ones.
    elsewhere = import_series(project, study="b", content=7)
    assert elsewhere.already == first.series_ids
    assert Study.objects.count() == 1


def test_the_same_images_in_another_project_are_another_study(make_project: Any, import_series: Any) -> None:
    one, other = make_project(), make_project()
    a, b = import_series(one, study="a"), import_series(other, study="a")
    assert a.study_ids != b.study_ids
    digests = Series.objects.values_list("content_digest", flat=True)
    assert len(set(digests)) == 2, "a digest must mean nothing outside its project"


def test_a_second_import_adds_its_series_to_the_study(make_project: Any, import_series: Any) -> None:
    project = make_project()
    first = import_series(project, study="a", content=1)
    second = import_series(project, study="a", name="series-001", content=2, modality="MR")
    assert second.study_ids == first.study_ids
    study = Study.objects.get()
    assert study.modalities == ["CT", "MR"]
    assert study.series.count() == 2


def test_a_series_with_other_images_under_the_same_uid_is_refused(make_project: Any, import_series: Any) -> None:
    project = make_project()
    import_series(project, study="a", content=1)
    with pytest.raises(LaminaError) as refused:
        import_series(project, study="a", content=2)
    assert refused.value.code == "conflicting_series"
    assert "Erase that study first" in refused.value.message
    assert Series.objects.count() == 1
    # What the sentence advises is enough; the bin alone would not be.
    services.erase_study(study=services.bin_study(study=Study.objects.get(), by=None), by=None)
    import_series(project, study="a", content=2)
    assert Series.objects.count() == 1


def test_pseudonyms_count_per_project_and_are_not_given_twice(make_project: Any, make_study: Any) -> None:
    one, other = make_project(), make_project()
    names = [make_study(one).pseudonym, make_study(one).pseudonym, make_study(other).pseudonym]
    assert names == ["LAM-0001", "LAM-0002", "LAM-0001"]
    last = Study.objects.get(project=one, patient_number=2)
    services.erase_study(study=services.bin_study(study=last, by=None), by=None)
    assert not Patient.objects.filter(project=one, number=2).exists()
    assert make_study(one).pseudonym == "LAM-0003"


def test_one_person_keeps_one_pseudonym(make_project: Any, import_series: Any) -> None:
    project = make_project()
    import_series(project, study="a", content=1, patient_key="0" * 64)
    import_series(project, study="b", content=2, patient_key="0" * 64)
    import_series(project, study="c", content=3, patient_key="1" * 64)
    assert sorted(Study.objects.values_list("patient_number", flat=True)) == [1, 1, 2]


def test_bin_and_restore(make_project: Any, make_study: Any, make_user: Any, api_client: Any) -> None:
    admin, reader = make_user("admin"), make_user("reader")
    study = make_study(make_project(admin=admin, reader=reader))
    address = f"/api/studies/{study.pk}/"
    assert api_client(reader).delete(address).status_code == 403
    assert api_client(admin).delete(address).status_code == 200
    assert api_client(reader).get(address).status_code == 404
    assert api_client(admin).get(address).json()["state"] == "binned"
    assert [row["id"] for row in api_client(admin).get("/api/studies/?state=binned").json()["results"]] == [
        str(study.pk)
    ]
    assert api_client(admin).get("/api/studies/").json()["results"] == []
    assert api_client(admin).post(f"{address}restore/").status_code == 200
    assert api_client(reader).get(address).status_code == 200
    types = [event["type"] for event in events_after(study.stream, 2).events]
    assert types == ["study.binned", "study.restored"]
    acts = list(AuditEntry.objects.filter(target_id=str(study.pk)).order_by("at").values_list("act", flat=True))
    assert acts == ["study.created", "study.binned", "study.restored"]


def test_a_binned_study_takes_no_new_series(make_project: Any, import_series: Any) -> None:
    project = make_project()
    done = import_series(project, study="a", content=1)
    services.bin_study(study=Study.objects.get(pk=done.study_ids[0]), by=None)
    with pytest.raises(LaminaError) as refused:
        import_series(project, study="a", content=1)
    assert refused.value.code == "study_in_bin"


def test_erasing_leaves_one_audit_entry_and_nothing_else(
    make_project: Any, make_study: Any, make_segmentation: Any, django_capture_on_commit_callbacks: Any
) -> None:
    study = make_study(make_project(), description="planted words")
    segmentation = make_segmentation(study)
    ref, study_id, stream = study.series.get().voxels_ref, study.pk, study.stream
    folder = storage.local.folder_of(study_id)
    assert any(folder.iterdir())
    services.bin_study(study=study, by=None)
    with django_capture_on_commit_callbacks(execute=True):
        services.erase_study(study=study, by=None)
    assert not folder.exists()
    assert not Study.objects.filter(pk=study_id).exists()
    assert not Job.objects.filter(owner_id=study_id).exists()
    assert not StoredObject.objects.filter(owner_id=study_id).exists()
    assert DataKey.objects.get(owner_id=study_id).wrapped is None
    with pytest.raises(KeyDestroyed):
        storage.read(ref)
    replay = events_after(stream, 0)
    assert replay.reload, "a browser that is behind must reload"
    kept = events_after(stream, replay.last - 1).events
    assert [event["type"] for event in kept] == ["study.erased"]
    left = tables_holding(str(study_id)) | tables_holding("planted words") | tables_holding(str(segmentation.pk))
    assert left <= {"core_auditentry", "core_datakey", "realtime_stream", "realtime_streamevent"}
    assert AuditEntry.objects.filter(act="study.erased", target_id=str(study_id)).count() == 1


def test_an_erased_study_can_come_again_under_a_new_key(
    make_project: Any, import_series: Any, django_capture_on_commit_callbacks: Any
) -> None:
    project = make_project()
    old = Study.objects.get(pk=import_series(project, study="a", content=1).study_ids[0])
    with django_capture_on_commit_callbacks(execute=True):
        services.erase_study(study=services.bin_study(study=old, by=None), by=None)
    again = import_series(project, study="a", content=1)
    assert again.study_ids != [old.pk]
    assert storage.size(Series.objects.get().voxels_ref) == 600


def test_only_what_is_in_the_bin_can_be_erased(make_project: Any, make_study: Any) -> None:
    with pytest.raises(LaminaError) as refused:
        services.erase_study(study=make_study(make_project()), by=None)
    assert refused.value.code == "not_in_bin"


def test_erasing_asks_for_the_password_again(
    make_project: Any, make_study: Any, make_user: Any, api_client: Any
) -> None:
    admin = make_user("admin")
    study = make_study(make_project(admin=admin))
    services.bin_study(study=study, by=admin)
    answer = api_client(admin).post(f"/api/studies/{study.pk}/erase/")
    assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication_needed")
    assert Study.objects.filter(pk=study.pk).exists()


def test_an_admin_who_just_gave_the_password_erases(
    make_project: Any, make_study: Any, make_user: Any, client: Any
) -> None:
    admin = make_user("admin")
    study = make_study(make_project(admin=admin))
    services.bin_study(study=study, by=admin)
    client.post("/accounts/login/", {"login": admin.email, "password": PASSWORD})
    address = f"/api/studies/{study.pk}/erase/"
    assert client.post(address).json()["code"] == "reauthentication_needed", "signing in is not enough"
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert client.post(address).status_code == 204
    assert not Study.objects.filter(pk=study.pk).exists()
    entry = AuditEntry.objects.get(act="study.erased", target_id=str(study.pk))
    assert (entry.actor_id, entry.facts) == (admin.pk, {"series": 1})


def test_the_bin_is_emptied_after_thirty_days(
    make_project: Any, make_study: Any, django_capture_on_commit_callbacks: Any
) -> None:
    project = make_project()
    old, young = make_study(project), make_study(project)
    for study, days in ((old, 31), (young, 29)):
        services.bin_study(study=study, by=None)
        Study.objects.filter(pk=study.pk).update(binned_at=timezone.now() - timedelta(days=days))
    with django_capture_on_commit_callbacks(execute=True):
        assert services.erase_expired() == 1
    assert list(Study.objects.values_list("pk", flat=True)) == [young.pk]


def test_the_cleaning_pass_finishes_an_erase_that_was_cut_short(make_project: Any, make_study: Any) -> None:
    study = make_study(make_project())
    services.bin_study(study=study, by=None)
    services.erase_study(study=study, by=None)  # the callback after the commit never runs here: as after a crash
    assert DataKey.objects.get(owner_id=study.pk).wrapped is not None
    services.erase_expired()
    assert DataKey.objects.get(owner_id=study.pk).wrapped is None


def tables_holding(text: str) -> set[str]:
    """Every table with `text` in the text form of a row."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            quoted = connection.ops.quote_name(table)
            cursor.execute(f"SELECT 1 FROM {quoted} t WHERE t::text LIKE %s LIMIT 1", [f"%{text}%"])
            if cursor.fetchone():
                found.add(table)
    return found
