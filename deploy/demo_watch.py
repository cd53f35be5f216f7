"""Watches the demo's reconstructions over HTTP, as one of its readers would."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from deploy.demo_people import Person
from deploy.say import Stop, line
from deploy.site import Site

PULSE_S = 2.0
FINAL = ("succeeded", "failed", "cancelled")


@dataclass
class Case:
    """One demo case and one algorithm. `state` and what follows is what the site said last."""

    name: str
    algorithm: str
    study: str
    job: str
    error: str = ""
    state: str = "queued"
    segments: list[dict[str, Any]] = field(default_factory=list)
    glb_bytes: int = 0
    job_seconds: float = 0.0

    def __post_init__(self) -> None:
        if not self.job:
            self.state = "failed"

    def as_dict(self) -> dict[str, Any]:
        names = ("name", "algorithm", "state", "error", "segments", "glb_bytes")
        return {name: getattr(self, name) for name in names}


class DemoWatch:
    """Follows each case until its surfaces are served."""

    def __init__(self, site: Site, person: Person, cases: list[Case]) -> None:
        self._site, self._person, self._cases = site, person, cases
        self._signed_in: bool | None = None
        self._next = 0.0

    def done(self) -> bool:
        """Have all cases ended, with their surfaces fetched? Raises Stop when the reader cannot sign in."""
        self._look()
        if self._signed_in is False:
            raise Stop(f"{self._person.email} cannot sign in with the kept password; was it changed?")
        return all(case.state in FINAL for case in self._cases)

    def pulse(self) -> None:
        """Say once what has become of each case. Quiet where the reader's password was changed."""
        if self._signed_in is False or all(case.state in FINAL for case in self._cases):
            return
        self._look()

    def seconds(self) -> dict[str, float]:
        """Seconds per reconstruction, named by algorithm."""
        return {f"reconstruct {case.algorithm}": case.job_seconds for case in self._cases if case.job_seconds}

    def answer(self) -> dict[str, Any]:
        total = sum(case.glb_bytes for case in self._cases)
        return {"cases": [case.as_dict() for case in self._cases], "glb_bytes": total}

    def _look(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + PULSE_S
        try:
            if self._signed_in is None:
                self._signed_in = self._site.sign_in(self._person.email, self._person.password)
            if self._signed_in:
                for case in self._cases:
                    if case.state not in FINAL:
                        self._ask(case)
        except OSError:
            return  # the web process is being started again; ask later

    def _ask(self, case: Case) -> None:
        job = self._site.json(f"/api/jobs/{case.job}/")
        state = job["state"]
        if state == "succeeded":
            self._fetch(case)
        elif state in FINAL:
            case.error = (job.get("error") or {}).get("message") or ""
        if state in FINAL:
            case.job_seconds = _between(job.get("started_at"), job.get("finished_at"))
            took = f" in {case.job_seconds:.1f} s" if case.job_seconds else ""
            line(f"  {case.name}, {case.algorithm}: {state}{took}{': ' + case.error if case.error else ''}")
        case.state = state

    def _fetch(self, case: Case) -> None:
        """The surfaces themselves, through the same addresses a browser uses."""
        study = self._site.json(f"/api/studies/{case.study}/")
        made = [entry for entry in study["segmentations"] if entry["algorithm"]["name"] == case.algorithm]
        if not made:
            raise OSError("the reconstruction is not listed yet")
        segmentation = self._site.json(f"/api/segmentations/{made[-1]['id']}/")
        surfaces = self._site.get(segmentation["urls"]["surfaces"])
        if surfaces[:4] != b"glTF":
            raise Stop(f"{case.name}, {case.algorithm}: the surfaces served are no GLB file.")
        case.glb_bytes = len(surfaces)
        names = ("label", "volume_ml", "triangles")
        case.segments = [{name: segment[name] for name in names} for segment in segmentation["segments"]]


def _between(start: str | None, end: str | None) -> float:
    """Seconds between two ISO times, 0 where one is missing."""
    from datetime import datetime

    if not start or not end:
        return 0.0
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds(), 2)
