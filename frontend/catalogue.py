"""Translations: from .po files to what the server (.mo) and the browser (one module per language) read.

    python frontend/catalogue.py             build; run at set-up, needs Babel only
    python frontend/catalogue.py --extract   bring the .po files up to date with the sources; needs the whole site

English stands in the sources, so it has no files. Words of the server and the templates are in django.po, words of
the browser's modules in djangojs.po.
"""

from __future__ import annotations

import ast
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

FRONTEND = Path(__file__).resolve().parent
ROOT = FRONTEND.parent
sys.path.insert(0, str(ROOT))
LOCALE = FRONTEND / "locale"
SCRIPTS = FRONTEND / "static" / "lamina"
OUT = SCRIPTS / "catalogue"

Key = str | tuple[str, str]
"""One sentence, or its singular and plural."""

_TEXT = r'"((?:[^"\\]|\\.)*)"'
_CALL = re.compile(rf"\bgettext\(\s*{_TEXT}")
_PLURAL_CALL = re.compile(rf"\bngettext\(\s*{_TEXT},\s*{_TEXT}")
_ANY_CALL = re.compile(r"(?<![\w.])n?gettext\(\s*(?!\")")
# Lines of a .po header that say nothing true here, or change with every run.
_HEADER_NOISE = tuple(
    f'"{name}:'
    for name in (
        "POT-Creation-Date", "PO-Revision-Date", "Project-Id-Version", "Report-Msgid-Bugs-To", "Last-Translator",
        "Language-Team", "Generated-By",
    )
)  # fmt: skip
_PYTHON_NAMES = {"_", "gettext", "gettext_lazy", "gettext_noop"}
_PYTHON_PLURALS = {"ngettext", "ngettext_lazy"}


# --- building ------------------------------------------------------------------------------------------------------


def language_of(folder: Path) -> str:
    """zh_Hans -> zh-hans, as Django and the pages name it."""
    return folder.name.replace("_", "-").lower()


def module_of(catalog: Catalog) -> str:
    """One language for the browser. The plural rule of a .po file is valid JavaScript as it stands."""
    messages: dict[str, str | list[str]] = {}
    for message in catalog:
        if not message.id or not message.string:
            continue
        if isinstance(message.id, tuple):
            forms = list(message.string) if not isinstance(message.string, str) else [message.string]
            if all(forms):
                messages[message.id[0]] = forms
        else:
            messages[message.id] = str(message.string)
    words = json.dumps(messages, ensure_ascii=False, sort_keys=True, indent=1)
    return f"export default {{\n  plural: (n) => Number({catalog.plural_expr}),\n  messages: {words},\n}};\n"


def build(locale: Path = LOCALE, out: Path = OUT) -> list[str]:
    """Compile every language below `locale`. Returns the languages."""
    languages = []
    for folder in sorted(path for path in locale.glob("*/LC_MESSAGES") if path.is_dir()):
        language = language_of(folder.parent)
        server = folder / "django.po"
        if server.exists():
            with server.open("rb") as source, (folder / "django.mo").open("wb") as target:
                write_mo(target, read_po(source, locale=folder.parent.name))
        browser = folder / "djangojs.po"
        if browser.exists():
            out.mkdir(parents=True, exist_ok=True)
            # The server reads it too: names of segments stand in reports.
            with browser.open("rb") as source, (folder / "djangojs.mo").open("wb") as target:
                write_mo(target, read_po(source, locale=folder.parent.name))
            with browser.open("rb") as source:
                (out / f"{language}.js").write_text(module_of(read_po(source, locale=folder.parent.name)), "utf-8")
        languages.append(language)
    return languages


# --- extraction ----------------------------------------------------------------------------------------------------


def script_files() -> list[Path]:
    return sorted(path for path in SCRIPTS.rglob("*.js") if OUT not in path.parents)


def keys_of_script(source: str) -> set[Key]:
    """Every sentence a browser module shows. Only string literals in double quotes count."""
    single: set[Key] = {json.loads(f'"{m[1]}"') for m in _CALL.finditer(source) if source[m.start() - 1] != "n"}
    plural: set[Key] = {(json.loads(f'"{m[1]}"'), json.loads(f'"{m[2]}"')) for m in _PLURAL_CALL.finditer(source)}
    return single | plural


def unreadable_calls(source: str) -> list[str]:
    """Calls whose sentence no tool can find: a variable, a template string, single quotes."""
    found = []
    for match in _ANY_CALL.finditer(source):
        start = source.rfind("\n", 0, match.start()) + 1
        line = source[start:].split("\n", 1)[0].strip()
        if not line.startswith(("export function", "*", "//", "/*", "const gettext", "const ngettext")):
            found.append(line)
    return found


def keys_of_python(source: str) -> Iterator[Key]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        texts = [arg.value for arg in node.args[:2] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if name in _PYTHON_NAMES and texts:
            yield texts[0]
        elif name in _PYTHON_PLURALS and len(texts) == 2:
            yield texts[0], texts[1]


def keys_of_template(source: str) -> Iterator[Key]:
    """Django turns a template into something that looks like Python calls; the calls are read by pattern."""
    from django.utils.translation.template import templatize

    calls = re.compile(
        r"(?:^|\s|;)(n?gettext|_)\((u?'(?:[^'\\]|\\.)*'|u?\"(?:[^\"\\]|\\.)*\")(?:,\s*(u?'(?:[^'\\]|\\.)*'|u?\"(?:[^\"\\]|\\.)*\"))?"
    )
    for name, first, second in calls.findall(templatize(source)):
        one = ast.literal_eval(first)
        yield (one, ast.literal_eval(second)) if name == "ngettext" and second else one


def engine_words() -> set[Key]:
    """What the engine says of its algorithms; the pages show it through `known` of i18n.js."""
    import recon_engine

    words: set[Key] = set()
    for description in recon_engine.describe():
        told = description.to_dict()
        words |= {told["title"], told["summary"]}
        words |= {segment["label"] for segment in told["segments"]}
        for parameter in told["parameters"]:
            words |= {parameter["title"], parameter["help"]}
    return words - {""}


# Modules whose errors end a job: what they say stands in its card and beside the tool that asked.
_JOB_MODULES = (
    "recipes", "refining", "registering", "weights", "inference.py", "pieces.py", "reconstruction.py", "results.py",
)  # fmt: skip
_RAISES = {"EngineError": 1, "nothing": 0}  # place of the sentence among the arguments


def _told(node: ast.expr, constants: dict[str, str]) -> str | None:
    """A sentence as the page recognises it: what is filled in becomes {0}, {1}, ..."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name):
        return constants.get(node.id)
    if isinstance(node, ast.IfExp):
        return None  # both sides are names of constants, which are taken by themselves
    if isinstance(node, ast.JoinedStr):
        places = iter(range(100))
        parts = [str(v.value) if isinstance(v, ast.Constant) else f"{{{next(places)}}}" for v in node.values]
        return "".join(parts)
    return None


def told_in(source: str) -> set[str]:
    """Sentences of the errors a module of the engine raises, its constants of words included."""
    tree = ast.parse(source)
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = set()
    for node in ast.walk(tree):
        name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
        if name not in _RAISES:
            continue
        for part in ast.walk(node.args[_RAISES[name]]) if len(node.args) > _RAISES[name] else ():
            text = constants.get(part.id) if isinstance(part, ast.Name) else None
            if text and " " in text:
                found.add(text)
        text = _told(node.args[_RAISES[name]], constants) if len(node.args) > _RAISES[name] else None
        if text and " " in text:
            found.add(text)
    return found


def job_words() -> set[Key]:
    """Why jobs fail, as rows keep it in English; the pages show it through `told` of i18n.js."""
    words: set[Key] = set()
    for name in _JOB_MODULES:
        path = ROOT / "recon_engine" / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            words |= told_in(file.read_text("utf-8"))
    for name in ("guard.py", "services.py"):
        for key in keys_of_python((ROOT / "server" / "jobs" / name).read_text("utf-8")):
            if isinstance(key, str):
                places = iter(range(100))
                words.add(re.sub(r"%\(\w+\)[sd]", lambda _: f"{{{next(places)}}}", key))  # noqa: B023
    # A pattern of little more than places would take every sentence for its own.
    return {word for word in words if isinstance(word, str) and len(re.sub(r"\{\d+\}|\W", "", word)) > 12}


def card_words() -> set[Key]:
    """What the cards of algorithms say: titles of their lines, their sentences, what is measured and how."""
    words: set[Key] = set()

    def title(name: str) -> str:
        text = name.replace("_", " ")
        return text[:1].upper() + text[1:]

    def walk(name: str, value: Any) -> None:
        if isinstance(value, dict) and isinstance(value.get("mean"), int | float):
            *groups, measure = name.split(".")
            words.update(title(group) for group in groups)
            words.add(title(re.sub(r"_(mm|ml|percent|seconds|s)$", "", measure)))
            words.add(value.get("definition", ""))
        elif isinstance(value, dict):
            words.add(title(name))
            for inner, one in value.items():
                walk(inner, one)

    for path in sorted((ROOT / "recon_engine" / "weights").glob("*/card.json")):
        card = json.loads(path.read_text("utf-8"))
        for name, value in card.items():
            walk(name, value)
            lines = value if isinstance(value, list) else [value]
            if all(isinstance(line, str) for line in lines):
                words.add(title(name))
                words.update(line for line in lines if " " in line)
        # Whom to thank and under which terms is quoted as it was given.
        words -= {card.get("attribution", ""), card.get("licence", "")}
    return {word for word in words if word and (" " in word or word.isalpha())} - {
        "Dice",
        "Hd95",
        "Assd",
        "Auc",
        "Summary",
    }


def engine_reasons() -> set[Key]:
    """Rule and cure of every reason code of intake, as server/studies/reasons.py asks for them."""
    from server.engine import reason_texts

    return set(reason_texts().values())


def server_keys() -> set[Key]:
    keys: set[Key] = engine_reasons()
    for path in sorted((ROOT / "server").rglob("*.py")):
        if "migrations" not in path.parts:
            keys.update(keys_of_python(path.read_text("utf-8")))
    for path in sorted((FRONTEND / "templates").rglob("*.html")):
        keys.update(keys_of_template(path.read_text("utf-8")))
    return keys


def browser_keys() -> set[Key]:
    return (engine_words() | job_words() | card_words()).union(
        *(keys_of_script(path.read_text("utf-8")) for path in script_files())
    )


def update(po: Path, keys: set[Key]) -> int:
    """Give a .po file exactly these keys, keeping what is translated. Returns how many wait for a translation."""
    with po.open("rb") as source:
        old = read_po(source, locale=po.parent.parent.name)
    title = f"# Lamina in {old.locale.english_name if old.locale else po.parent.parent.name}."
    fresh = Catalog(locale=po.parent.parent.name, header_comment=title, charset="utf-8", fuzzy=False)
    waiting = 0
    for key in sorted(keys, key=lambda k: k if isinstance(k, str) else k[0]):
        known = old.get(key if isinstance(key, str) else key[0])
        string = known.string if known is not None else ""
        waiting += not string if isinstance(string, str) else not all(string)
        flags = {"python-format"} if "%(" in (key if isinstance(key, str) else key[1]) else set()
        fresh.add(key, string, flags=flags)
    buffer = io.BytesIO()
    write_po(buffer, fresh, width=110, omit_header=False, sort_output=False, include_lineno=False)
    lines = [line for line in buffer.getvalue().decode().splitlines() if not line.startswith(_HEADER_NOISE)]
    po.write_text("\n".join(lines) + "\n", "utf-8")
    return waiting


def main(arguments: list[str]) -> int:
    if "--extract" in arguments:
        for folder in sorted(LOCALE.glob("*/LC_MESSAGES")):
            for name, keys in (("django.po", server_keys()), ("djangojs.po", browser_keys())):
                waiting = update(folder / name, keys)
                print(f"{folder.parent.name}/{name}: {len(keys)} sentences, {waiting} wait for a translation")
    print("Languages beside English:", ", ".join(build()) or "none")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
