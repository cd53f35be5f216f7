"""Storage: what comes back is what went in, damage is found, erasure is final, a full disk leaves nothing."""

from __future__ import annotations

import io
import os
import resource
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from django.conf import settings

from server.core import secrets, storage
from server.core.models import StoredObject
from server.core.storage import local, sealing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_storage(tmp_path, settings):
    settings.LAMINA_STORAGE = tmp_path / "storage"
    settings.LAMINA_HOME = tmp_path / "home"
    return tmp_path


@pytest.fixture
def owner():
    return uuid.uuid4(), uuid.uuid4()


def stored_path(ref: str) -> Path:
    owner_id, _, address = ref.partition("/")
    return Path(settings.LAMINA_STORAGE) / owner_id[:2] / owner_id / address


@pytest.mark.parametrize("size", [0, 1, sealing.CHUNK - 1, sealing.CHUNK, sealing.CHUNK + 1, 3 * sealing.CHUNK + 17])
def test_what_comes_back_is_what_went_in(owner, size):
    plain = os.urandom(size)
    ref = storage.put(*owner, io.BytesIO(plain))
    assert storage.read(ref) == plain
    assert storage.size(ref) == size
    assert stored_path(ref).stat().st_size == sealing.stored_size(size)


@pytest.mark.parametrize(
    ("start", "length"),
    [(0, 1), (sealing.CHUNK - 1, 2), (sealing.CHUNK, sealing.CHUNK), (2 * sealing.CHUNK + 5, 100), (10, 10**9)],
)
def test_any_byte_range_can_be_read(owner, start, length):
    plain = os.urandom(2 * sealing.CHUNK + 4321)
    ref = storage.put(*owner, io.BytesIO(plain))
    assert b"".join(storage.open_range(ref, start, length)) == plain[start : start + length]


def test_stored_bytes_do_not_hold_the_plain_text(owner):
    ref = storage.put(*owner, io.BytesIO(b"PATIENT NAME " * 1000))
    assert b"PATIENT" not in stored_path(ref).read_bytes()
    assert stored_path(ref).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("where", [0, 5, sealing.HEADER_BYTES, sealing.CHUNK, -1])
def test_one_flipped_byte_is_found_and_the_object_set_aside(owner, where):
    ref = storage.put(*owner, io.BytesIO(os.urandom(sealing.CHUNK + 100)))
    path = stored_path(ref)
    damaged = bytearray(path.read_bytes())
    damaged[where] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(storage.IntegrityError):
        storage.read(ref)
    assert StoredObject.objects.get().quarantined_at is not None


def test_a_cut_or_reordered_file_is_found(owner):
    ref = storage.put(*owner, io.BytesIO(os.urandom(3 * sealing.CHUNK)))
    path, whole = stored_path(ref), stored_path(ref).read_bytes()
    one = sealing.CHUNK + sealing.TAG
    body = whole[sealing.HEADER_BYTES :]
    for other in (whole[:-one], whole[: sealing.HEADER_BYTES] + body[one : 2 * one] + body[:one] + body[2 * one :]):
        path.write_bytes(other)
        StoredObject.objects.update(quarantined_at=None)
        with pytest.raises(storage.IntegrityError):
            storage.read(ref)


def test_erasing_destroys_key_bytes_and_rows(owner):
    ref = storage.put(*owner, io.BytesIO(b"x"))
    kept = stored_path(ref).read_bytes()
    storage.erase_owner(owner[0])
    assert not stored_path(ref).exists()
    # Even a copy from a backup does not open again.
    stored_path(ref).parent.mkdir(parents=True)
    stored_path(ref).write_bytes(kept)
    with pytest.raises(secrets.KeyDestroyed):
        storage.read(ref)
    with pytest.raises(secrets.KeyDestroyed):
        storage.put(*owner, io.BytesIO(b"again"))


def test_a_key_moved_to_another_owner_does_not_open(owner):
    from server.core.models import DataKey

    other = uuid.uuid4()
    storage.put(*owner, io.BytesIO(b"x"))
    DataKey.objects.filter(owner_id=owner[0]).update(owner_id=other)
    with pytest.raises(secrets.KeyDestroyed):
        secrets.owner_key(other)


def test_equal_files_share_a_digest_inside_a_project_only():
    project, elsewhere = uuid.uuid4(), uuid.uuid4()
    for owner_id, project_id in ((uuid.uuid4(), project), (uuid.uuid4(), project), (uuid.uuid4(), elsewhere)):
        storage.put(owner_id, project_id, io.BytesIO(b"same bytes"))
    digests = list(StoredObject.objects.order_by("created_at").values_list("keyed_digest", flat=True))
    assert digests[0] == digests[1] != digests[2]
    assert secrets.keyed_digest(project, b"same bytes") == digests[0]


def test_a_full_disk_leaves_no_partial_file(owner, monkeypatch):
    """RLIMIT_FSIZE stands for the full disk: the same write call fails half way."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 * 1024 * 1024, hard))
    try:
        with pytest.raises(storage.StorageFull) as caught:
            storage.put(*owner, io.BytesIO(os.urandom(8 * 1024 * 1024)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)
    assert caught.value.code == "storage_full"
    assert caught.value.status == 507
    assert [p for p in Path(settings.LAMINA_STORAGE).rglob("*") if p.is_file()] == []
    assert not StoredObject.objects.exists()
    # After space is back the same put works.
    assert storage.size(storage.put(*owner, io.BytesIO(b"y" * 5_000_000))) == 5_000_000


def test_too_little_reserve_is_said_before_the_work(owner, tmp_path, monkeypatch):
    monkeypatch.setattr(local, "free_bytes", lambda: 1024)
    (tmp_path / "file").write_bytes(b"1")
    with pytest.raises(storage.StorageFull):
        storage.put_file(*owner, tmp_path / "file")


def test_materialise_writes_private_files_and_refuses_to_leave_its_folder(owner, tmp_path):
    ref = storage.put(*owner, io.BytesIO(b"slice"))
    folder = storage.materialise({"a/b.dcm": ref}, tmp_path / "out")
    assert (folder / "a/b.dcm").read_bytes() == b"slice"
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "a/b.dcm").stat().st_mode & 0o077 == 0
    for name in ("../x", "/etc/x", "a/../../x", "."):
        with pytest.raises(ValueError, match="leaves its folder"):
            storage.materialise({name: ref}, tmp_path / "out")


def test_a_workspace_goes_with_its_block_and_a_dead_process(owner):
    block = storage.workspace("job")
    folder = block.__enter__()
    (folder / "plain").write_bytes(b"x")
    assert folder.stat().st_mode & 0o077 == 0
    assert block.__exit__(RuntimeError, RuntimeError(), None) is False  # the error goes on to whoever waits for it
    assert not folder.exists()
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    orphan = folder.parent / f"job-{int(gone.stdout)}-abc"
    orphan.mkdir()
    with storage.workspace("job") as mine:
        assert storage.clean_workspaces() == 1
        assert mine.exists()
        assert not orphan.exists()


def test_sealed_text_opens_only_for_its_owner(owner):
    sealed = secrets.seal_text(*owner, "MÜLLER^ANNA 张三")
    assert secrets.open_text(owner[0], sealed) == "MÜLLER^ANNA 张三"
    assert "MÜLLER".encode() not in sealed
    other = uuid.uuid4()
    secrets.owner_key(other, owner[1])
    with pytest.raises(secrets.KeyDestroyed):
        secrets.open_text(other, sealed)
