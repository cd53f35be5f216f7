"""The audit chain: only committed acts, in order, and one changed byte is found without the server."""

from __future__ import annotations

import copy
import json
import uuid

import pytest
from django.db import transaction

from server.core import audit
from server.core.models import AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)


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
