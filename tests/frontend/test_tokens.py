"""The design's colours: exactly the tokens of the two themes, and every ratio people need to read them (WCAG 2.2)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STYLES = Path(__file__).resolve().parents[2] / "frontend" / "static" / "lamina" / "styles"
SOURCE = (STYLES / "tokens.css").read_text("utf-8")
TEXT, GRAPHIC = 4.5, 3.0

DARK = {
    "bg": "#0B0D10", "surface-1": "#12151A", "surface-2": "#191D24", "surface-3": "#232932",
    "line": "#272E38", "line-strong": "#59677A", "text-1": "#EDF1F5", "text-2": "#AEB8C4", "text-3": "#8793A1",
    "accent": "#5AB0FF", "accent-ink": "#06121E", "accent-tint": "#12304D",
    "sealed": "#C4A7FF", "sealed-ink": "#150B2B", "sealed-tint": "#251B3D",
    "good": "#3DD68C", "good-tint": "#0E2E20", "caution": "#FFB84D", "caution-tint": "#37270A",
    "bad": "#FF7B7B", "bad-tint": "#3B1618",
}  # fmt: skip
LIGHT = {
    "bg": "#F3F5F7", "surface-1": "#FFFFFF", "surface-2": "#F3F5F8", "surface-3": "#E6EAEF",
    "line": "#DCE1E7", "line-strong": "#7D8997", "text-1": "#14181D", "text-2": "#46505C", "text-3": "#5F6B78",
    "accent": "#0A62BD", "accent-ink": "#FFFFFF", "accent-tint": "#E1EEFB",
    "sealed": "#5F3DC4", "sealed-ink": "#FFFFFF", "sealed-tint": "#ECE6FB",
    "good": "#0E7443", "good-tint": "#DDF3E7", "caution": "#8A5200", "caution-tint": "#FDF0D6",
    "bad": "#BF2330", "bad-tint": "#FCE5E6",
}  # fmt: skip

# (text, ground) pairs that pages use, with the ratio the design names where it names one.
READ = [
    ("text-1", "surface-1"), ("text-1", "bg"), ("text-1", "surface-2"), ("text-1", "surface-3"),
    ("text-1", "accent-tint"),
    ("text-2", "surface-1"), ("text-2", "bg"), ("text-2", "surface-2"), ("text-2", "surface-3"),
    ("text-2", "accent-tint"),
    ("text-3", "surface-1"), ("text-3", "bg"),
    ("accent", "surface-1"), ("accent", "bg"), ("accent", "accent-tint"), ("accent-ink", "accent"),
    ("sealed", "surface-1"), ("sealed", "sealed-tint"), ("sealed-ink", "sealed"),
    ("good", "surface-1"), ("good", "good-tint"), ("caution", "surface-1"), ("caution", "caution-tint"),
    ("bad", "surface-1"), ("bad", "bad-tint"), ("surface-1", "bad"),
]  # fmt: skip
STATED = {
    "dark": {
        "text-1": 16.1, "text-2": 9.1, "text-3": 5.9, "accent": 7.9,
        "sealed": 9.0, "good": 9.8, "caution": 10.6, "bad": 7.3, "line-strong": 3.2,
    },
    "light": {
        "text-1": 17.8, "text-2": 8.2, "text-3": 5.4, "accent": 6.0,
        "sealed": 7.1, "good": 5.8, "caution": 6.4, "bad": 6.0, "line-strong": 3.6,
    },
}  # fmt: skip


def tokens(selector: str) -> dict[str, str]:
    """Hexadecimal colours of the first block with this selector."""
    block = re.search(rf"{re.escape(selector)}\s*{{(.*?)}}", SOURCE, re.S)
    assert block, f"tokens.css has no {selector}"
    return {name: value.upper() for name, value in re.findall(r"--([\w-]+):\s*(#[0-9A-Fa-f]{6})\b", block[1])}


THEMES = {"dark": tokens(":root"), "light": tokens(':root[data-theme="light"]')}


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_is_21() -> None:
    assert ratio("#000000", "#FFFFFF") == pytest.approx(21)


@pytest.mark.parametrize(("theme", "wanted"), [("dark", DARK), ("light", LIGHT)])
def test_the_tokens_are_the_designs(theme: str, wanted: dict[str, str]) -> None:
    assert {name: THEMES[theme].get(name) for name in wanted} == wanted


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("text", "ground"), READ)
def test_text_can_be_read(theme: str, text: str, ground: str) -> None:
    found = ratio(THEMES[theme][text], THEMES[theme][ground])
    assert found >= TEXT, f"{text} on {ground} is {found:.1f} in {theme}"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["surface-1", "bg"])
def test_edges_of_controls_can_be_seen(theme: str, ground: str) -> None:
    assert ratio(THEMES[theme]["line-strong"], THEMES[theme][ground]) >= GRAPHIC


@pytest.mark.parametrize(("theme", "name", "stated"), [(t, n, v) for t, row in STATED.items() for n, v in row.items()])
def test_ratios_are_those_the_design_states(theme: str, name: str, stated: float) -> None:
    assert ratio(THEMES[theme][name], THEMES[theme]["surface-1"]) == pytest.approx(stated, abs=0.06)


def test_pages_take_their_colours_from_the_tokens() -> None:
    """Outside the tokens a colour may stand only where it lies on an image or marks a person."""
    allowed = {
        "#7AD7FF",
        "#FF9EBB",
        "#C6F26D",
        "#BAA37E",
        "#F9E3D8",
        "#C58BFF",
        "#06121E",
        "#FFFFFF",
        "#8793A1",
        "#000",
    }
    ours = [
        "base",
        "controls",
        "shell",
        "parts",
        "worklist",
        "import",
        "operations",
        "algorithms",
        "settings",
        "entrance",
        "components",
    ]
    for name in ours:
        found = set(re.findall(r"#[0-9A-Fa-f]{3,8}\b", (STYLES / f"{name}.css").read_text("utf-8")))
        found -= {one for one in found if not re.fullmatch(r"#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})", one)}
        found = {one for one in found if one.upper() not in allowed}
        assert found <= {"#bin"}, f"{name}.css has its own colours: {sorted(found)}"


def test_no_text_is_smaller_than_11_px() -> None:
    for path in sorted(STYLES.glob("*.css")):
        sizes = re.findall(r"(?:font-size:\s*|font:[^;]*?\s)(\d+(?:\.\d+)?)px", path.read_text("utf-8"))
        small = [size for size in sizes if float(size) < 11]
        assert not small, f"{path.name} has text of {small} px"
