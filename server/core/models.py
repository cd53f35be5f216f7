"""Rows every app stands on: identity, keys, stored objects, audit, repeated requests."""

from __future__ import annotations

import uuid

from django.db import models


class BaseModel(models.Model):
    """A random id that may be shown, and the two times everybody asks for."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class ProjectKey(models.Model):
    """A project's key, wrapped by the root key. Study keys are wrapped by it."""

    project_id = models.UUIDField(primary_key=True)
    wrapped = models.BinaryField()


class DataKey(models.Model):
    """The key of one owner (a study, an upload), wrapped by its project's key.

    Destroying `wrapped` makes everything stored for the owner unreadable, backups included.
    """

    owner_id = models.UUIDField(primary_key=True)
    project_id = models.UUIDField(db_index=True)
    wrapped = models.BinaryField(null=True)
    destroyed_at = models.DateTimeField(null=True)


class StoredObject(models.Model):
    """One encrypted file of one owner; `address` is the SHA-256 of the stored bytes."""

    owner_id = models.UUIDField()
    project_id = models.UUIDField()
    address = models.CharField(max_length=64)
    stored_size = models.BigIntegerField()
    plain_size = models.BigIntegerField()
    keyed_digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    quarantined_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner_id", "address"], name="one_object_per_address")]
        indexes = [models.Index(fields=["project_id", "keyed_digest"], name="object_by_digest")]


class AuditEntry(models.Model):
    """Who did what to which row. `facts` holds ids, numbers and codes, never a patient's words.

    Written in the caller's transaction; `position` and `hash` come later from the sealer, which only sees
    committed rows, so the chain never names something that did not happen.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project_id = models.UUIDField(null=True)
    actor_id = models.UUIDField(null=True)
    act = models.CharField(max_length=80)
    target_kind = models.CharField(max_length=40)
    target_id = models.CharField(max_length=64)
    facts = models.JSONField(default=dict)
    at = models.DateTimeField()
    position = models.BigIntegerField(null=True)
    hash = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project_id", "position"], nulls_distinct=False, name="one_audit_entry_per_position",
                condition=models.Q(position__isnull=False),
            )
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["project_id", "at"], name="audit_by_project"),
            models.Index(fields=["at"], condition=models.Q(position__isnull=True), name="audit_unsealed"),
        ]


class AuditHead(models.Model):
    """The newest link of one project's chain and the signature over it. The site's own acts have project null."""

    chain = models.CharField(primary_key=True, max_length=36)  # the project's id, or "site"
    position = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64)
    signature = models.CharField(max_length=128, blank=True)


class IdempotentRequest(models.Model):
    """The answer to a POST that carried an Idempotency-Key, so that sending it again does nothing twice."""

    person_id = models.UUIDField()
    key = models.CharField(max_length=128)
    route = models.CharField(max_length=120)
    body_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person_id", "key"], name="one_answer_per_key")]
