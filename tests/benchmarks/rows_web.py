"""Rows 10 and 11: pages and search of 100,000 studies, and a 64 KiB range of a 64 MiB volume.

Both run against a database of their own, made and removed here, on the PostgreSQL of DATABASE_URL. What a page costs
is spent in PostgreSQL's process too, so these rows compare wall seconds; the CPU columns hold this process's part.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STUDIES, PAGE, TURNS, SEED = 100_000, 50, 15, 20_26
VOLUME_BYTES, RANGE_BYTES = 64 * 2**20, 64 * 2**10
RARE = "quartz"
_WORDS = ("thorax", "abdomen", "head", "knee", "spine", "pelvis", "liver", "heart")

_FILL = """
INSERT INTO studies_patient (id, created_at, modified_at, project_id, number)
SELECT md5('p' || n)::uuid, now(), now(), %(project)s, n FROM generate_series(1, %(count)s) n;
INSERT INTO studies_study (id, created_at, modified_at, project_id, patient_id, patient_number, study_instance_uid,
  description, study_date, modalities, state, is_demo, notice, words)
SELECT md5('s' || n)::uuid, timestamptz '2026-01-01' + ((n * 7919) %% 1000003) * interval '1 second', now(),
  %(project)s, md5('p' || n)::uuid, n, '2.25.' || n, text.description, date '2015-01-01' + (n * 31) %% 4000,
  '["CT"]'::jsonb, 'active', false, '',
  array_to_tsvector(ARRAY['lam', lpad(n::text, 4, '0'), 'ct'] || regexp_split_to_array(text.description, ' '))
FROM generate_series(1, %(count)s) n,
  LATERAL (SELECT (%(words)s::text[])[1 + n %% 8] || ' ' || (%(words)s::text[])[1 + (n / 8) %% 8]
    || CASE WHEN n %% 5000 = 17 THEN ' %(rare)s' ELSE '' END AS description) text;
INSERT INTO studies_series (id, created_at, modified_at, study_id, series_instance_uid, modality, description, finding,
  is_volume, slices, voxels_ref, phase_refs, preview_ref, thumbnail_ref, picture_refs, content_digest)
SELECT md5('e' || n)::uuid, now(), now(), md5('s' || n)::uuid, '2.25.1.' || n, 'CT', '', '{}', true, 100, '', '[]', '',
  'x', '[]', '' FROM generate_series(1, %(count)s) n;
ANALYZE;
"""


@contextmanager
def fresh_database() -> Iterator[Any]:
    """An empty, migrated database and a private LAMINA_HOME for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="lamina-bench-") as home:
        os.environ |= {"LAMINA_HOME": home, "LAMINA_NO_POOL": "1", "DJANGO_SETTINGS_MODULE": "server.settings"}
        os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:6379/0")  # named by the settings, not used here
        import django

        django.setup()
        from django.db import connection

        connection.settings_dict["TEST"]["NAME"] = f"lamina_bench_{os.getpid()}"
        old = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            yield connection
        finally:
            connection.creation.destroy_test_db(old, verbosity=0)


def a_reader() -> tuple[Any, Any]:
    from server.accounts.services import create_project, create_user

    user = create_user(email="bench@example.org", display_name="Bench", password=None)
    return user, create_project(name="Bench", by=user)


def median_seconds(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """(median wall, median CPU, last answer) of several turns after one that does not count."""
    answer = work()
    wall, cpu = [], []
    for _ in range(TURNS):
        start, used = time.perf_counter(), time.process_time()
        answer = work()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    return statistics.median(wall), statistics.median(cpu), answer


def worklist() -> list[dict[str, Any]]:
    """Row 10: the page anywhere in the list, and search, beside offset pages and a scan."""
    with fresh_database() as connection:
        user, project = a_reader()
        words = list(_WORDS)
        sql = _FILL.replace("%(rare)s", RARE)
        with connection.cursor() as cursor:
            for statement in filter(None, (part.strip() for part in sql.split(";\n"))):
                cursor.execute(statement, {"project": project.pk, "count": STUDIES, "words": words})
        digest = hashlib.sha256(f"{SEED}:{STUDIES}:{words}".encode()).hexdigest()
        return [*_pages(connection, user, project, digest), _search(connection, user, project, digest)]


def _asker(user: Any) -> Callable[..., dict[str, Any]]:
    """The worklist's view without the middleware around it."""
    from rest_framework.test import APIRequestFactory, force_authenticate

    from server.api.studies import StudiesView

    factory, view = APIRequestFactory(), StudiesView.as_view()

    def ask(**query: Any) -> dict[str, Any]:
        request = factory.get("/api/studies/", query)
        force_authenticate(request, user)
        return view(request).data

    return ask


def _pages(connection: Any, user: Any, project: Any, digest: str) -> list[dict[str, Any]]:
    from django.test.utils import CaptureQueriesContext

    from server.api.paging import _encode, ordered
    from server.api.studies import ORDERS, rows_json
    from server.studies.models import Study

    ask = _asker(user)
    with CaptureQueriesContext(connection) as few:
        ask(limit=10)
    with CaptureQueriesContext(connection) as many:
        ask(limit=100)
    rows = []
    for name, label in (("-created", "by age"), ("pseudonym", "by pseudonym")):
        order = ORDERS[name]
        everything = ordered(Study.objects.filter(state="active", project=project), order).select_related("project")
        first_wall, first_cpu, _ = median_seconds(lambda name=name: ask(order=name, limit=PAGE))
        worst: tuple[float, float, float] = (0.0, 0.0, 0.0)
        same = True
        for place in (STUDIES // 4, STUDIES // 2, STUDIES - PAGE):
            before = everything[place - 1]
            mark = _encode(getattr(before, order.column), before.pk)
            wall, cpu, page = median_seconds(lambda name=name, mark=mark: ask(order=name, after=mark, limit=PAGE))
            peer_wall, _, offset = median_seconds(
                lambda everything=everything, place=place: rows_json(list(everything[place : place + PAGE]), user)
            )
            same &= [row["id"] for row in page["results"]] == [row["id"] for row in offset]
            if wall > worst[0]:
                worst = (wall, cpu, peer_wall)
        ratio = worst[0] / first_wall
        rows.append(
            _row(
                f"worklist_page_{name.strip('-')}",
                f"slowest of pages 500, 1,000 and 2,000 of {STUDIES:,} studies {label}, against the first page",
                (worst[1], worst[0]),
                "offset page",
                worst[2],
                f"<= 2x the first page ({first_wall * 1000:.1f} ms); queries do not grow with rows",
                ratio,
                ratio <= 2 and len(few) == len(many),
                same,
                digest,
                f"{len(few)} and {len(many)} queries for 10 and 100 rows",
            )
        )
        del first_cpu
    return rows


def _search(connection: Any, user: Any, project: Any, digest: str) -> dict[str, Any]:
    from server.studies.models import Study
    from server.studies.search import matching
    from server.studies.selectors import active_studies_visible_to

    def search() -> list[Any]:
        found = matching(active_studies_visible_to(user), RARE)
        return list(found.order_by("-created_at", "-id").values_list("id", flat=True)[:PAGE])

    def scan() -> list[Any]:
        found = Study.objects.filter(state="active", project=project, description__icontains=RARE)
        return list(found.order_by("-created_at", "-id").values_list("id", flat=True)[:PAGE])

    _, cpu, ours = median_seconds(search)
    _, _, theirs = median_seconds(scan)
    wall, peer_wall = in_postgres(connection, search), in_postgres(connection, scan)
    ratio = wall / peer_wall
    return _row(
        "worklist_search",
        f"{len(ours)} studies of {STUDIES:,} that hold one word; seconds inside PostgreSQL",
        (cpu, wall),
        "icontains",
        peer_wall,
        "<= 5 % of a scan",
        ratio,
        ratio <= 0.05,
        ours == theirs and len(ours) == STUDIES // 5000,
        digest,
    )


def in_postgres(connection: Any, work: Callable[[], Any]) -> float:
    """Median seconds PostgreSQL itself spends on the queries about studies that `work` makes."""
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as made:
        work()
    times = []
    for _ in range(TURNS):
        total = 0.0
        for query in made.captured_queries:
            if '"studies_study"' in query["sql"]:
                with connection.cursor() as cursor:
                    cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + query["sql"].replace("%", "%%"), [])
                    [plan] = cursor.fetchone()[0]
                total += plan["Planning Time"] + plan["Execution Time"]
        times.append(total / 1000)
    return statistics.median(times)


def _row(
    name: str,
    what: str,
    ours: tuple[float, float],
    peer: str,
    peer_wall: float,
    goal: str,
    ratio: float,
    within: bool,
    checked: bool,
    inputs: str,
    note: str = "",
) -> dict[str, Any]:
    import django

    reason = note if within else f"slower than the goal in this run. {note}".strip()
    if not checked:
        within, reason = False, "the output differs from the peer's: the row does not count"
    return {
        "name": name,
        "what": what,
        "ours_cpu_s": round(ours[0], 5),
        "ours_wall_s": round(ours[1], 5),
        "ours_peak_mib": None,
        "peer": f"Django {peer}",
        "peer_version": django.__version__,
        "peer_cpu_s": round(peer_wall, 5),
        "repeats": TURNS,
        "spread": None,
        "ratio": round(ratio, 3),
        "goal": goal,
        "within_goal": within,
        "reason": reason,
        "inputs_sha256": inputs,
    }


def volume_range() -> dict[str, Any]:
    """Row 11: what one range request sends, beside Django's FileResponse, which knows no ranges."""
    with fresh_database(), tempfile.TemporaryDirectory() as folder:
        import random

        from django.http import FileResponse
        from django.test import RequestFactory

        from server.core import storage
        from server.core.files import ranged

        _, project = a_reader()
        plain = Path(folder) / "volume.i16"
        plain.write_bytes(random.Random(SEED).randbytes(VOLUME_BYTES))
        content = plain.read_bytes()
        ref = storage.put_file(project.pk, project.pk, plain)
        start = VOLUME_BYTES // 3
        header = f"bytes={start}-{start + RANGE_BYTES - 1}"
        factory = RequestFactory()

        async def sent(response: Any) -> bytes:
            return b"".join([piece async for piece in response.streaming_content])

        def ours() -> bytes:
            return asyncio.run(sent(ranged(factory.get("/", HTTP_RANGE=header), ref, "application/octet-stream")))

        def theirs() -> int:
            response = FileResponse(open(plain, "rb"))  # noqa: SIM115  the response closes it
            return sum(len(piece) for piece in response.streaming_content)

        wall, cpu, body = median_seconds(ours)
        peer_wall, _, whole = median_seconds(theirs)
        return _row(
            "volume_range",
            f"bytes sent for a range of {RANGE_BYTES:,} in a volume of {VOLUME_BYTES:,}, decrypted and checked",
            (cpu, wall),
            f"FileResponse ({whole:,} bytes)",
            peer_wall,
            f"{RANGE_BYTES:,} bytes",
            len(body) / RANGE_BYTES,
            len(body) == RANGE_BYTES,
            body == content[start : start + RANGE_BYTES],
            hashlib.sha256(content).hexdigest(),
            f"{len(body):,} bytes; ratio is sent to asked",
        )


ROWS: dict[str, Callable[[], dict[str, Any] | list[dict[str, Any]]]] = {
    "worklist": worklist,
    "volume_range": volume_range,
}
