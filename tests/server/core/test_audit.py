"""The audit chain: only committed acts, in order, and one changed byte is found without the server."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from server.core import audit
from server.core.models import AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[3]


class Thing:
    """Something with a key, a project and a model name."""

    class _meta:
        model_name = "thing"

    def __init__(self, project_id):
        self.pk, self.project_id = uuid.uuid4(), project_id


@pytest.fixture
def chain():
    project = uuid.uuid4()
    for number in range(5):
        audit.record(None, "thing.done", Thing(project), number=number)
    assert audit.seal_pending() == 5
    return json.loads(json.dumps(audit.export_chain(project)))


def test_a_whole_chain_verifies_and_grows(chain):
    assert audit.verify_export(chain) == []
    assert [e["position"] for e in chain["entries"]] == [1, 2, 3, 4, 5]
    project = uuid.UUID(chain["chain"])
    audit.record(None, "thing.done", Thing(project))
    assert audit.seal_pending() == 1
    assert audit.seal_pending() == 0
    assert audit.verify_export(audit.export_chain(project)) == []


@pytest.mark.parametrize(
    "tamper",
    [
        lambda c: c["entries"][2]["facts"].update(number=7),
        lambda c: c["entries"][0].update(act="thing.donf"),
        lambda c: c["entries"].pop(1),
        lambda c: c["entries"].pop(),
        lambda c: c["head"].update(hash="1" * 64),
        lambda c: c["head"].update(signature="00" * 64),
        lambda c: c.update(public_key="11" * 32),
        lambda c: c["entries"].clear(),
    ],
)
def test_every_tampering_is_found(chain, tamper):
    forged = copy.deepcopy(chain)
    tamper(forged)
    assert audit.verify_export(forged) != []


def test_an_act_that_was_rolled_back_is_not_in_the_chain():
    project = uuid.uuid4()
    with transaction.atomic():
        audit.record(None, "thing.done", Thing(project))
        transaction.set_rollback(True)
    audit.seal_pending()
    assert not AuditEntry.objects.filter(project_id=project).exists()


def test_the_database_refuses_two_entries_at_one_place(chain):
    from django.db import IntegrityError

    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEntry.objects.filter(project_id=chain["chain"], position=2).update(position=1)


def verified(path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command as an auditor runs it: an address where no database is, and nothing else."""
    nowhere = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    environment = {**os.environ, **nowhere}
    command = [sys.executable, "manage.py", "verify_audit", str(path), *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)


def test_the_command_verifies_a_file_without_the_server(chain, tmp_path):
    exported, key = tmp_path / "chain.json", tmp_path / "key.txt"
    exported.write_text(json.dumps(chain))
    key.write_text(chain["public_key"] + "\n")
    whole = verified(exported, "--key", str(key))
    assert whole.returncode == 0, whole.stderr
    assert f"5 entries, head {chain['head']['hash']}" in whole.stdout
    text = exported.read_text()
    where = text.index('"number": 2') + len('"number": ')
    exported.write_text(text[:where] + "3" + text[where + 1 :])  # one byte
    changed = verified(exported)
    assert changed.returncode == 1
    assert "entry 3 was changed" in changed.stderr


def test_the_command_names_another_key(chain, tmp_path, capsys):
    exported, key = tmp_path / "chain.json", tmp_path / "key.txt"
    exported.write_text(json.dumps(chain))
    key.write_text("ab" * 32)
    with pytest.raises(CommandError, match="another key"):
        call_command("verify_audit", exported, key=key)
    call_command("verify_audit", exported)
    assert "The key came with the file" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "[]", '{"chain": "site"}', '{"chain":1,"entries":3,"head":{},"public_key":""}'])
def test_the_command_refuses_what_is_no_chain(text, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(CommandError, match="no exported chain"):
        call_command("verify_audit", path)


@pytest.mark.parametrize("spoil", [{"entries": [3]}, {"head": {}}, {"head": {"position": 0}}, {"public_key": 7}])
def test_nonsense_inside_a_chain_is_a_problem_not_a_crash(chain, spoil):
    assert audit.verify_export({**chain, **spoil}) != []
