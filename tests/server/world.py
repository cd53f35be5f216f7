"""One project with everything in it, and people of every role: for tests that walk over all routes."""

from __future__ import annotations

import gzip
import io
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from server.accounts import services as people
from server.accounts.models import User
from server.algorithms.models import Algorithm, AlgorithmVersion
from server.approvals.models import KeyImage, Report, Signature
from server.core import storage
from server.discussions.models import Comment, Thread
from server.jobs.models import Job
from server.readings.models import Annotation, Case, Consensus, Reading
from server.reconstructions.models import Comparison, Segment, Segmentation, Surface
from server.studies.models import Intake, Patient, Series, Study, Transform, UploadedFile

ROLES = ("anonymous", "stranger", "viewer", "reader", "admin", "site_admin")
IDENTITY = [[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 1.0, 0], [0, 0, 0, 1.0]]
REPORT = b'{"title": "Report", "pseudonym": "LAM-4711", "facts": [], "tables": [], "images": [], "notes": []}'
CODE = {"value": "1", "scheme": "99LAMINA", "meaning": "thing"}


@dataclass
class World:
    """`ids` fills the variables of a route; `people` has one person per role (None for anonymous)."""

    people: dict[str, Any] = field(default_factory=dict)
    ids: dict[str, Any] = field(default_factory=dict)
    project: Any = None
    planted: tuple[str, ...] = ()


def _person(name: str, **values: Any) -> User:
    # Hashing a password for each would be most of the test's time; nobody here signs in with one.
    user = User.objects.create(email=f"{name}-{uuid.uuid4().hex[:8]}@example.org", display_name=name, **values)
    user.set_unusable_password()
    user.save()
    return user


def make_world() -> World:
    """Rows made directly where a service would need the engine; roles through the services."""
    world = World()
    world.people = {"anonymous": None}
    for name in ROLES[1:]:
        world.people[name] = _person(name, is_site_admin=name == "site_admin")
    admin, reader = world.people["admin"], world.people["reader"]
    project = world.project = people.create_project(name=f"World {uuid.uuid4().hex[:6]}", by=admin)
    people.add_member(project=project, user=reader, role="reader", by=admin)
    people.add_member(project=project, user=world.people["viewer"], role="viewer", by=admin)
    people.create_project(name=f"Elsewhere {uuid.uuid4().hex[:6]}", by=world.people["stranger"])
    invitation, link = people.invite(project=project, email="new@example.org", role="viewer", by=admin)

    study_id = uuid.uuid4()
    blob = storage.put(study_id, project.pk, io.BytesIO(bytes(4 * 4 * 4 * 2)))
    packed = storage.put(study_id, project.pk, io.BytesIO(gzip.compress(bytes(64))))
    patient = Patient.objects.create(project=project, number=4711)
    study = Study.objects.create(
        id=study_id,
        project=project,
        patient=patient,
        patient_number=4711,
        study_instance_uid="2.25.1",
        description="planted description",
        modalities=["CT"],
        created_by=reader,
    )
    volume = {
        "shape": [4, 4, 4], "spacing_mm": [1.0, 1.0, 1.0], "affine": IDENTITY, "slope": 1.0, "intercept": 0.0,
        "unit": "HU", "value_range": [0.0, 0.0], "window": [400.0, 40.0], "automatic_window": [400.0, 40.0],
        "preview_shape": [4, 4, 4], "preview_affine": IDENTITY, "preview_range": [0.0, 1.0],
    }  # fmt: skip
    series = Series.objects.create(
        study=study,
        series_instance_uid="2.25.2",
        modality="CT",
        description="planted series",
        finding={"verdict": "accept", "reasons": [], "message": "", "facts": {}},
        is_volume=True,
        slices=4,
        shape=[4, 4, 4],
        spacing_mm=[1.0, 1.0, 1.0],
        volume=volume,
        voxels_ref=blob,
        preview_ref=packed,
        thumbnail_ref=blob,
        picture_refs=[blob],
        content_digest="0" * 64,
    )
    algorithm, _ = Algorithm.objects.get_or_create(name="bone-ct", defaults={"title": "Bone"})
    version = AlgorithmVersion.objects.filter(algorithm=algorithm).first() or AlgorithmVersion.objects.create(
        algorithm=algorithm, version="1", description={"title": "Bone"}
    )
    job = Job.objects.create(
        kind="reconstruction",
        queue="recon",
        project=project,
        owner_kind="study",
        owner_id=study.pk,
        stream=study.stream,
        requested_by=reader,
        parameters={"series": str(series.pk), "algorithm": "bone-ct", "version": version.version, "values": {}},
    )
    segmentation = Segmentation.objects.create(
        study=study,
        series=series,
        algorithm_version=version,
        job=job,
        labelmap_ref=packed,
        labelmap_nii_ref=blob,
        surfaces_ref=blob,
        surfaces_plain_ref=blob,
        manifest={"device": "cpu", "seconds": {}},
    )
    comparison = Comparison.objects.create(
        study=study, left=segmentation, right=segmentation, right_seq=1, surfaces_a_ref=blob, surfaces_b_ref=blob,
        places_ref=packed, labels_a_ref=packed, labels_b_ref=packed,
        result={"segments": [{"label": "planted difference"}], "regions": []},
    )  # fmt: skip
    segment = Segment.objects.create(
        segmentation=segmentation, number=1, label="planted segment", colour="#FB9202", category=CODE, type=CODE,
        voxels=8, volume_ml=0.008,
    )  # fmt: skip
    Surface.objects.create(segment=segment, node="planted segment", triangles=12)
    transform = Transform.objects.create(
        moving_series=series, fixed_series=series, moving_frame="2.25.3", fixed_frame="2.25.4", matrix=IDENTITY,
        method="manual", author=reader,
    )  # fmt: skip
    annotation = Annotation.objects.create(
        study=study, series=series, kind="point", number=1, points=[[1.0, 1.0, 1.0]], colour="#FEEE3E", author=reader,
    )  # fmt: skip
    from server.core.secrets import seal_text

    thread = Thread.objects.create(study=study, series=series, point_mm=[1.0, 1.0, 1.0], author=reader)
    sealed = seal_text(study.pk, project.pk, "planted comment")
    comment = Comment.objects.create(thread=thread, author=reader, text_sealed=sealed, digest="2" * 64)
    key_image = KeyImage.objects.create(
        study=study, series=series, viewport="axial", picture_ref=blob, width=1, height=1, author=reader
    )
    content = storage.put(study_id, project.pk, io.BytesIO(REPORT))
    made = Job.objects.create(
        kind="report", queue="interactive", project=project, owner_kind="study", owner_id=study.pk,
        stream=f"user:{reader.pk}", requested_by=reader, parameters={},
    )  # fmt: skip
    report = Report.objects.create(
        study=study, job=made, language="en", author=reader, content_ref=content, pdf_ref=blob, pages=1
    )
    later = timezone.now() + timedelta(hours=24)
    intake = Intake.objects.create(project=project, created_by=reader, expires_at=later)
    upload = UploadedFile.objects.create(
        intake=intake, name_sealed=seal_text(intake.pk, project.pk, "a.dcm"), name_digest="1" * 64, length=10
    )
    reading = _reading(project, patient, reader)
    world.ids = {
        "project_id": project.pk,
        "slug": project.slug,
        "user_id": world.people["viewer"].pk,
        "invitation_id": invitation.pk,
        "token": link.strip("/").split("/")[-1],
        "study_id": study.pk,
        "series_id": series.pk,
        "moving_id": series.pk,
        "other_id": segmentation.pk,
        "transform_id": transform.pk,
        "segmentation_id": segmentation.pk,
        "annotation_id": annotation.pk,
        "comparison_id": comparison.pk,
        "thread_id": thread.pk,
        "comment_id": comment.pk,
        "key_image_id": key_image.pk,
        "report_id": report.pk,
        "case_id": reading.case_id,
        "reading_id": reading.pk,
        "signature_id": Signature.objects.create(
            case=reading.case,
            version=1,
            person=reader,
            name="x",
            meaning="reviewed",
            signed_at=timezone.now(),
            digest="0" * 64,
            manifest={},
        ).pk,
        "consensus_id": Consensus.objects.create(case=reading.case, method="union").pk,
        "key": "1:0",
        "job_id": job.pk,
        "intake_id": intake.pk,
        "upload_id": upload.pk,
        "number": 0,
        "plane": "k",
        "session_id": 1,
    }
    world.planted = (
        "planted description",
        "planted series",
        "planted segment",
        "planted comment",
        "planted difference",
        "LAM-4711",
        str(study.pk),
    )
    return world


def _reading(project: Any, patient: Patient, reader: User) -> Reading:
    """The reader's read of another study, whose case is open."""
    study = Study.objects.create(
        project=project, patient=patient, patient_number=4711, study_instance_uid="2.25.7", modalities=["CT"]
    )
    series = Series.objects.create(
        study=study, series_instance_uid="2.25.8", modality="CT", is_volume=True, slices=4, shape=[4, 4, 4],
        finding={"verdict": "accept", "reasons": [], "message": "", "facts": {}}, content_digest="1" * 64,
    )  # fmt: skip
    case = Case.objects.create(study=study, series=series, project=project, number=1, is_blind=False)
    return Reading.objects.create(case=case, reader=reader, letter="A")
