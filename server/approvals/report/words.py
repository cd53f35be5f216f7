"""Numbers and words of a report: one rounding for one kind of number, a unit behind a narrow space, a real minus sign.

The same rules as frontend/static/lamina/components/format.js.
"""

from __future__ import annotations

import functools
import gettext as files
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

NARROW = "\u202f"
DASH = "\u2014"
MINUS = "\u2212"


def number(value: float, digits: int) -> str:
    """1,125.7 in both languages."""
    text = f"{abs(value):,.{digits}f}"
    return MINUS + text if value < 0 and float(text.replace(",", "")) else text


def with_unit(value: float | None, digits: int, unit: str) -> str:
    return DASH if value is None else f"{number(value, digits)}{NARROW}{unit}"


@functools.cache
def _browser_words(language: str) -> files.NullTranslations:
    path = settings.LOCALE_PATHS[0] / translation.to_locale(language) / "LC_MESSAGES" / "djangojs.mo"
    if not path.is_file():
        return files.NullTranslations()  # English, or catalogues that are not made yet
    with path.open("rb") as source:
        return files.GNUTranslations(source)


def known(text: str) -> str:
    """Names of algorithms and segments in the language in force, where the browser's catalogue has them."""
    return _browser_words(translation.get_language() or "en").gettext(text) if text else ""


def kind_word(kind: str) -> str:
    return {
        "point": _("Point"),
        "probe": _("Probe"),
        "arrow": _("Arrow"),
        "text": _("Text"),
        "length": _("Length"),
        "angle": _("Angle"),
        "cobb": _("Cobb angle"),
        "ellipse": _("Ellipse"),
        "rectangle": _("Rectangle"),
        "polygon": _("Polygon"),
        "freehand": _("Freehand"),
        "surface_distance": _("Surface distance"),
    }.get(kind, kind)


def size_text(annotation: Any) -> str:
    """62.4 mm, 38.5°, 14.1 cm²; "" for what has no size."""
    value = annotation.value
    if value is None:
        return ""
    if annotation.unit == "deg":
        return f"{number(value, 1)}°"
    if annotation.unit == "mm2":
        return with_unit(value, 1, "mm²") if value < 100 else with_unit(value / 100, 1, "cm²")
    return with_unit(value, 1, annotation.unit or "mm")


def statistics_text(statistics: dict[str, Any] | None) -> str:
    """58 ± 14 HU; "" without statistics."""
    if not statistics or statistics.get("mean") is None:
        return ""
    mean, sd, unit = statistics["mean"], statistics["sd"], statistics.get("unit", "")
    if unit == "SUV":
        return f"SUV{NARROW}{number(mean, 1)} ± {number(sd, 1)}"
    digits = 0 if unit == "HU" or abs(mean) >= 100 else 1
    return f"{number(mean, digits)} ± {number(sd, digits)}{NARROW + unit if unit else ''}"


def viewport_word(viewport: str) -> str:
    return {"axial": _("Axial"), "coronal": _("Coronal"), "sagittal": _("Sagittal"), "surfaces": _("Surfaces")}[
        viewport
    ]


def utc(moment: Any) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC") if moment else ""
