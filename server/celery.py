"""Celery carries hints only ("there is work in this queue"); PostgreSQL knows the jobs.

So a message may be lost or doubled without harm: it is acknowledged when taken, never retried or delayed, and no
result is kept. The sweeper (server/jobs/sweeper.py) is the only redelivery.
"""

from __future__ import annotations

import os

from celery import Celery
from kombu import Exchange
from kombu import Queue as KombuQueue

from server import environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "server.settings")

QUEUES = ("recon", "io", "interactive")

app = Celery("lamina")
app.conf.update(
    broker_url=environment.broker_url(),
    accept_content=["json"],
    task_serializer="json",
    result_backend=None,
    task_ignore_result=True,
    task_acks_late=False,
    task_reject_on_worker_lost=False,
    task_publish_retry=False,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    task_create_missing_queues=False,
    # The default exchange needs no binding kept in Redis, so nothing has to be declared again after a FLUSHALL.
    task_queues=[KombuQueue(name, Exchange(""), routing_key=name) for name in QUEUES],
    task_default_queue="interactive",
    task_default_exchange="",
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_connection_timeout=3,
    broker_transport_options={"socket_connect_timeout": 2, "socket_timeout": 5, "visibility_timeout": 86_400},
    imports=["server.jobs.tasks"],
)
