"""Rows of the approvals, one room per module."""

from server.approvals.models.reports import KeyImage, Report
from server.approvals.models.signatures import Meaning, Reopening, Signature

__all__ = ["KeyImage", "Meaning", "Reopening", "Report", "Signature"]
