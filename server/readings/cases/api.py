"""Protocols, cases and readings over HTTP: views parse, call, answer."""

from __future__ import annotations

from server.readings.cases.serializers import CaseSerializer

__all__ = ["CaseSerializer"]
