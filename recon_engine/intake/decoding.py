"""Compressed frames are decoded once while inspecting, so that what is accepted can be read.

In a measurement 41 % of damaged files decoded without an error: the size and type of each decoded frame is held
against its header (frames.decode). Uncompressed series need none of this, their lengths were checked already.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from recon_engine.contract import EngineError
from recon_engine.intake import reasons, syntaxes
from recon_engine.intake.frames import pixel_format, stored_frame
from recon_engine.intake.header import Header
from recon_engine.intake.inspection import Examined
from recon_engine.intake.reasons import Issue


def check_decoding(examined: Examined, names: Mapping[str, str], about_to_parse: Callable[[str], None]) -> Examined:
    """The same series with pixel_decode_failed, pixel_data_truncated or transfer_syntax_unsupported added where due."""
    blockers = {"transfer_syntax_unsupported", "no_pixel_data", "pixel_data_truncated", "declared_size_over_limit"}
    suspects = [h for h in examined.headers if h.syntax not in syntaxes.NATIVE or not pixel_format_is_plain(h)]
    if (
        not suspects
        or blockers & set(examined.finding.reasons)
        or "derived_object_not_source" in examined.finding.reasons
    ):
        return examined

    def attempt(header: Header) -> Issue | None:
        about_to_parse(names.get(header.path, header.path))
        try:
            form = pixel_format(header)
            for number in range(form.frames):
                stored_frame(header, form, number)
        except EngineError as error:
            return Issue(error.code, error.message)
        except RecursionError:
            return Issue("nesting_too_deep", "The header nests too deep to read.")
        except MemoryError:
            return Issue("declared_size_over_limit", "The pixel data does not fit in memory.")
        return None

    with ThreadPoolExecutor(max(1, min(8, len(os.sched_getaffinity(0))))) as pool:
        found = [issue for issue in pool.map(attempt, suspects) if issue is not None]
    return with_issues(examined, found) if found else examined


def pixel_format_is_plain(header: Header) -> bool:
    try:
        return pixel_format(header).is_plain
    except EngineError:
        return True


def with_issues(examined: Examined, more: list[Issue]) -> Examined:
    """The series with further issues: verdict, reasons and message follow."""
    issues = reasons.sort_issues((*examined.issues, *more))
    verdict = reasons.verdict(issues)
    finding = examined.finding
    name = finding.description or f"{finding.modality or 'Unnamed'} series"
    kept = verdict == "refuse" and reasons.may_be_kept(issues)
    facts = {**finding.facts, "kept": kept}
    examined.issues = issues
    examined.finding = replace(
        finding,
        verdict=verdict,
        reasons=tuple(issue.code for issue in issues),
        message=reasons.message(name, issues),
        facts=facts,
    )
    return examined
