"""The verbs in the shell: answers on stdout, progress on stderr, a stable exit code.

With `--json` stdout holds one JSON document: the answer, or {"error": {"code", "message", "facts"}}.
Exit codes: 0 answered, 1 refused or failed, 2 asked wrongly, 130 cancelled.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TextIO

import recon_engine
from recon_engine.contract import (
    ENGINE_VERSION,
    AlgorithmDescription,
    CombineRequest,
    CompareRequest,
    EngineError,
    InspectResult,
    PrepareRequest,
    Progress,
    ReconstructionRequest,
    ReconstructionResult,
    RefineRequest,
    RegisterRequest,
    SurfacesRequest,
)

DONE, FAILED, ASKED_WRONGLY, CANCELLED = 0, 1, 2, 130


class Bar:
    """A progress bar on a terminal; elsewhere a line now and then, so that a log file stays short."""

    width = 28

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.live = stream.isatty()
        self.every = 0.1 if self.live else 5.0
        self.began = time.monotonic()
        self.shown = self.began if not self.live else 0.0
        self.open = False

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self.shown < self.every and not (self.live and progress.fraction >= 1):
            return
        self.shown = now
        full = round(self.width * progress.fraction)
        bar = "#" * full + "." * (self.width - full)
        text = f"[{bar}] {progress.fraction:4.0%}  {progress.phase}  {progress.detail}".rstrip()
        self.stream.write(f"\r\x1b[K{text}" if self.live else text + "\n")
        self.stream.flush()
        self.open = self.live

    def close(self) -> None:
        if self.open:
            self.stream.write("\n")
            self.open = False


class Parser(argparse.ArgumentParser):
    """Raises instead of exiting, so that a wrong call is answered in JSON too."""

    def error(self, message: str) -> NoReturn:
        raise EngineError("bad_request", f"{message}. See: {self.prog} --help", usage=True)


def parser() -> argparse.ArgumentParser:
    """All words of the shell."""
    top = Parser(prog="python -m recon_engine", description="Deep-learning 3D reconstruction. Not for clinical use.")
    top.add_argument("--version", action="version", version=ENGINE_VERSION)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)

    def verb(name: str, text: str, run: Callable[[argparse.Namespace, Bar], Any]) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=text, description=text)
        made.add_argument("--json", action="store_true", help="print one JSON document on stdout")
        made.set_defaults(run=run)
        return made

    def machine(made: argparse.ArgumentParser) -> None:
        made.add_argument("--device", default="", help="cpu or cuda:0; chosen when left out")
        made.add_argument("--threads", type=int, default=0, help="CPU threads; chosen when left out")

    verb("describe", "Say which algorithms there are.", _describe)
    made = verb("inspect", "Say what a file, folder or zip holds.", _inspect)
    made.add_argument("path", metavar="PATH")
    made = verb("prepare", "Make stored series of inspected ones.", _prepare)
    made.add_argument("request", metavar="REQUEST.json", help="a PrepareRequest as JSON")
    made = verb("preprocess", "Normalise, enhance, filter or threshold a volume, step by step.", _preprocess)
    made.add_argument("path", metavar="PATH", help="DICOM or NIfTI file, folder or zip")
    made.add_argument("--step", action="append", default=[], metavar="NAME:OPTION=VALUE,...", help="as often as needed")
    made.add_argument("--modality", default="", metavar="CT", help="which series, or what a NIfTI file is")
    made.add_argument("-o", "--out", metavar="OUT.nii.gz", help="the file to write; without it the steps are listed")
    made = verb("reconstruct", "Run an algorithm on a series.", _reconstruct)
    made.add_argument("path", metavar="PATH", nargs="?", help="DICOM or NIfTI file, folder or zip")
    for flag, modality in (("--ct", "CT"), ("--pet", "PT"), ("--mr", "MR")):
        made.add_argument(flag, metavar="PATH", help=f"the {modality} of an algorithm with several inputs")
    made.add_argument("-o", "--out", required=True, metavar="OUT", help="the result folder to make")
    made.add_argument("--algorithm", required=True, metavar="NAME")
    made.add_argument("--algorithm-version", default="", metavar="VERSION", help="newest when left out")
    made.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    made.add_argument("--profile", action="store_true", help="keep the time and memory of every stage")
    machine(made)
    made = verb("refine", "Change a segment of a labelmap: grow, islands, split, margin, smooth, fill.", _refine)
    made.add_argument("labelmap", metavar="LABELMAP.nii.gz")
    made.add_argument("--prompt", required=True, metavar="JSON", help='{"kind": "margin", "segment": 1, "mm": 2}')
    made.add_argument("--image", default="", metavar="PATH", help="the image it lies on, where the prompt looks at it")
    made.add_argument("-o", "--out", required=True, metavar="OUT", help="the folder to make")
    made = verb("surfaces", "Make surfaces of the segments of a labelmap.", _surfaces)
    made.add_argument("labelmap", metavar="LABELMAP.nii.gz")
    made.add_argument("--segment", action="append", default=[], metavar="NUMBER=NAME", help="all when left out")
    made.add_argument("-o", "--out", required=True, metavar="OUT", help="the folder to make")
    made.add_argument("--threads", type=int, default=0, help="CPU threads; chosen when left out")
    made = verb("compare", "Say how far apart two labelmaps are, and where.", _compare)
    made.add_argument("left", metavar="A.nii.gz")
    made.add_argument("right", metavar="B.nii.gz")
    made.add_argument("--segment", action="append", default=[], metavar="NUMBER=NAME", help="all when left out")
    made.add_argument("-o", "--out", required=True, metavar="OUT", help="the folder to make")
    made.add_argument("--threads", type=int, default=0, help="CPU threads; chosen when left out")
    made = verb("register", "Say where the body of one volume lies in another of the same modality.", _register)
    made.add_argument("fixed", metavar="FIXED", help="DICOM or NIfTI file, folder or zip")
    made.add_argument("moving", metavar="MOVING")
    made.add_argument("--seed", type=int, default=0, help="equal seeds give equal answers")
    made = verb("combine", "Make one labelmap of several readers'.", _combine)
    made.add_argument("labelmaps", metavar="LABELMAP.nii.gz", nargs="+")
    made.add_argument("--method", required=True, metavar="METHOD", help="union, majority or staple")
    made.add_argument("-o", "--out", required=True, metavar="OUT", help="the folder to make")
    made = verb("evaluate", "Score an algorithm on labelled cases.", _evaluate)
    made.add_argument("name", metavar="NAME", nargs="?")
    made.add_argument("--all", action="store_true", help="every algorithm that was trained on a set")
    made.add_argument("--data", metavar="SETFOLDER", help="laid out like the set it was trained on; phantoms:SEEDS")
    made.add_argument("--root", metavar="PARENT", help="with --all: the folder that holds the sets")
    made.add_argument("--cases", metavar="FILE", help="case names, one a line or a JSON list")
    made.add_argument("--splits", metavar="FILE", help="JSON of {set: {part: [case, ...]}}")
    made.add_argument("--part", default="", metavar="PART", help="val or train; with --splits")
    machine(made)
    made = verb("train", "Train a recipe on a set.", _train)
    made.add_argument("recipe", metavar="RECIPE")
    made.add_argument("--data", required=True, metavar="SETFOLDER")
    made.add_argument("--splits", metavar="FILE")
    made.add_argument("--folds", action="store_true", help="one network per fold, scored on the patients it left out")
    made.add_argument("-o", "--out", required=True, metavar="OUT", help="the weights folder to make, or to go on with")
    machine(made)
    return top


# --- verbs: each returns what --json prints, and prints its own lines without ------------------------------------


def _describe(asked: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    found = recon_engine.describe()
    if not asked.json:
        for algorithm in found:
            print(_algorithm_lines(algorithm))
    return {"engine_version": ENGINE_VERSION, "algorithms": [algorithm.to_dict() for algorithm in found]}


def _algorithm_lines(algorithm: AlgorithmDescription) -> str:
    inputs = " + ".join(algorithm.inputs)
    segments = ", ".join(segment.label for segment in algorithm.segments)
    head = f"{algorithm.name} {algorithm.version}  {inputs}  {algorithm.title} ({algorithm.status})"
    return f"{head}\n    {algorithm.summary}\n    segments: {segments}"


def _inspect(asked: argparse.Namespace, bar: Bar) -> list[dict[str, Any]]:
    result = recon_engine.inspect(asked.path)
    rows = inspection_rows(result)
    if not asked.json:
        for row in rows:
            shape = "x".join(map(str, row["shape"])) if row["shape"] else "no volume"
            print(f"{row['verdict']:7} {row['modality'] or '?':3} {shape:16} {row['files']} files  {row['message']}")
    for file, reason in result.ignored if result.findings else ():
        print(f"ignored: {file} ({reason})", file=sys.stderr)
    return rows


def inspection_rows(result: InspectResult) -> list[dict[str, Any]]:
    """One object per series; where there is none, one per file that is no image, so that no file goes unanswered."""
    rows = [
        {
            "series_instance_uid": finding.series_instance_uid,
            "modality": finding.modality,
            "description": finding.description,
            "files": len(finding.files),
            "shape": finding.shape,
            "spacing_mm": finding.spacing_mm,
            "verdict": finding.verdict,
            "reasons": finding.reasons,
            "message": finding.message,
            "facts": dict(finding.facts),
        }
        for finding in result.findings
    ]
    if rows:
        return rows
    nothing = {"series_instance_uid": None, "modality": None, "description": "", "files": 1, "shape": None}
    return [
        nothing
        | {"spacing_mm": None, "verdict": "refuse", "reasons": [reason]}
        | {"message": f"{file} is no image that can be read ({reason}).", "facts": {}}
        for file, reason in result.ignored
    ]


def _prepare(asked: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    try:
        request = PrepareRequest.from_dict(json.loads(Path(asked.request).read_text()))
    except (OSError, ValueError) as error:
        raise EngineError("bad_request", f"{asked.request} is no PrepareRequest: {error}.") from None
    result = recon_engine.prepare(request, bar)
    if not asked.json:
        for series in result.series:
            print(f"{series.modality:3} {len(series.instances)} instances  {series.description}")
    return result.to_dict()


def _preprocess(asked: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    from recon_engine import intake
    from recon_engine.preprocess import steps

    wanted = [steps.parse(text) for text in asked.step]
    if not asked.step or not asked.out:
        known = {name: steps.options_of(name) for name in steps.STEPS}
        if asked.step or asked.out:
            raise EngineError("bad_request", f"Give --step and --out. Steps: {', '.join(known)}.", usage=True)
        if not asked.json:
            for name, options in known.items():
                print(" ".join([name, *(f"{o}=VALUE" if needed else f"[{o}=VALUE]" for o, needed in options.items())]))
        return {"steps": known}
    volume, _ = intake.read_volume(asked.path, asked.modality)
    for number, step in enumerate(wanted):
        bar(Progress(phase="preprocess", fraction=number / len(wanted), detail=step.text))
        volume = steps.take(volume, step)
    steps.write(volume, asked.out)
    low, high = float(volume.voxels.min()), float(volume.voxels.max())
    if not asked.json:
        print(f"{asked.out}: {'x'.join(map(str, volume.shape))}, {low:g} to {high:g} {volume.unit}".rstrip())
    return {"out": asked.out, "steps": [step.text for step in wanted], "low": low, "high": high, "unit": volume.unit}


def _reconstruct(asked: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    inputs = {key: path for key, path in (("CT", asked.ct), ("PT", asked.pet), ("MR", asked.mr)) if path}
    if bool(inputs) == bool(asked.path):
        raise EngineError("bad_request", "Give one PATH, or --ct, --pet, --mr for an algorithm with several inputs.")
    request = ReconstructionRequest(
        algorithm=asked.algorithm,
        version=asked.algorithm_version,
        inputs=inputs or {"": asked.path},
        out=asked.out,
        parameters=dict(_parameter(text) for text in asked.parameter),
        device=asked.device,
        profile=asked.profile,
        threads=asked.threads,
    )
    result = recon_engine.reconstruct(request, bar)
    if not asked.json:
        _print_result(result, asked.out, asked.profile)
    return result.to_dict()


def _refine(asked: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    try:
        prompt = json.loads(asked.prompt)
    except ValueError:
        prompt = None
    if not isinstance(prompt, dict):
        raise EngineError("bad_request", '--prompt takes a JSON object such as {"kind": "split", "segment": 1}.')
    request = RefineRequest(labelmap=asked.labelmap, image=asked.image, prompt=prompt, out=asked.out, whole=True)
    result = recon_engine.refine(request, bar)
    if not asked.json:
        print(f"{result.changed} voxels changed")
        print(f"{asked.out}: labelmap.nii.gz, layers.u8")
    return result.to_dict()


def _surfaces(asked: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    from recon_engine.remesh import segments_of

    names = dict(_parameter(text) for text in asked.segment)
    wanted = segments_of(asked.labelmap, {int(n): str(name) for n, name in names.items() if n.isdigit()})
    request = SurfacesRequest(
        labelmap=asked.labelmap, segments=wanted, out=asked.out, together=True, threads=asked.threads
    )
    result = recon_engine.surfaces(request, bar)
    if not asked.json:
        for segment in result.segments:
            volume = "volume unknown" if segment.volume_ml is None else f"{segment.volume_ml:.2f} mL"
            print(f"{segment.number:3} {segment.label:32} {volume:>16} {segment.triangles:>8} triangles")
        print(f"{asked.out}: {', '.join(sorted(result.files))}")
    return result.to_dict()


def _compare(asked: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    from recon_engine.comparing.grids import pairs_of

    names = dict(_parameter(text) for text in asked.segment)
    pairs = pairs_of(asked.left, asked.right, {int(n): str(name) for n, name in names.items() if n.isdigit()})
    request = CompareRequest(left=asked.left, right=asked.right, pairs=pairs, out=asked.out, threads=asked.threads)
    result = recon_engine.compare(request, bar)
    if not asked.json:
        for one in result.segments:
            distances = "distance unknown" if one.hd95_mm is None else f"HD95 {one.hd95_mm:.1f} mm"
            print(f"{one.number:3} {one.label:32} Dice {one.dice:.2f}  {distances}")
        for place in result.regions[:10]:
            size = "only one has it" if place.max_mm is None else f"{place.max_mm:+.1f} mm"
            print(f"{place.n:3} {place.label:32} {size}  {place.voxels} voxels  {place.side}")
        print(f"{asked.out}: {', '.join(sorted(result.files))}")
    return result.to_dict()


def _register(asked: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    result = recon_engine.register(RegisterRequest(fixed=asked.fixed, moving=asked.moving, seed=asked.seed), bar)
    if not asked.json:
        for row in result.matrix:
            print("  ".join(f"{v:12.6f}" for v in row))
        print(f"moves {result.shift_mm:.1f} mm, turns {result.rotation_degrees:.1f} degrees")
        print(f"error {result.error_mm:.2f} mm ({result.runs} runs and the way back), overlap {result.overlap:.0%}")
    return result.to_dict()


def _combine(asked: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    request = CombineRequest(labelmaps=tuple(asked.labelmaps), method=asked.method, out=asked.out, whole=True)
    result = recon_engine.combine(request, bar)
    if not asked.json:
        for number, voxels in result.voxels.items():
            print(f"{number:>3} {voxels:>10} voxels")
        for one in result.performances:
            told = f"sensitivity {one.sensitivity:.4f}  specificity {one.specificity:.4f}"
            print(f"{one.number:3} {asked.labelmaps[one.reader]}  {told}")
        print(f"{asked.out}: {', '.join(sorted(result.files))}")
    return result.to_dict()


def _parameter(text: str) -> tuple[str, Any]:
    """NAME=VALUE; the value is read as JSON where it is JSON (12, 0.5, true), as text otherwise."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise EngineError("bad_request", f"--parameter takes NAME=VALUE, not {text!r}.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _print_result(result: ReconstructionResult, out: str, profile: bool) -> None:
    for segment in result.segments:
        volume = "volume unknown" if segment.volume_ml is None else f"{segment.volume_ml:.2f} mL"
        print(f"{segment.number:3} {segment.label:32} {volume:>16} {segment.triangles:>8} triangles")
    for warning in result.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if profile:
        for stage, seconds in result.seconds.items():
            print(f"{stage:24} {seconds:8.2f} s")
        print(f"{'peak memory':24} {result.peak_memory_mib:8.0f} MiB")
    print(f"{out}: {', '.join(sorted(result.files))}")


def _evaluate(asked: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    chosen: dict[str, Any] = {"device": asked.device, "threads": asked.threads, "on_progress": bar}
    chosen |= {"splits": asked.splits, "part": asked.part}
    if asked.all:
        if not asked.root or asked.name:
            raise EngineError("bad_request", "evaluate --all takes --root PARENT and no NAME.")
        from recon_engine.training.evaluation import evaluate_all

        return _scores(asked, evaluate_all(asked.root, **chosen))
    if not asked.name or not asked.data:
        raise EngineError("bad_request", "evaluate takes NAME --data SETFOLDER, or --all --root PARENT.")
    cases = _case_list(asked.cases) if asked.cases else None
    return _scores(asked, recon_engine.evaluate(asked.name, asked.data, cases=cases, **chosen))


def _case_list(file: str) -> list[str]:
    try:
        text = Path(file).read_text()
    except OSError as error:
        raise EngineError("not_found", f"{file} cannot be read: {error.strerror}.") from None
    if text.lstrip().startswith("["):
        try:
            return [str(name) for name in json.loads(text)]
        except ValueError as error:
            raise EngineError("bad_request", f"{file} is no JSON list: {error}.") from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def _scores(asked: argparse.Namespace, answer: dict[str, Any]) -> dict[str, Any]:
    if not asked.json:
        own = {getattr(asked, "name", "") or answer.get("recipe", ""): answer}
        for name, one in answer.get("algorithms", own).items():
            print(name)
            for metric, row in one.get("summary", {}).items():
                if row["mean"] is None:
                    continue
                span = f"{row['low']:.3f} to {row['high']:.3f}"
                worst = f"worst {row['worst']:.3f} ({row['worst_case']})"
                print(f"    {metric:28} {row['mean']:8.3f} {row['unit']:3} [{span}]  {worst}  n {row['n']}")
    return answer


def _train(asked: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    answer = recon_engine.train(
        asked.recipe,
        asked.data,
        asked.splits,
        asked.out,
        across=asked.folds,
        device=asked.device,
        threads=asked.threads,
        on_progress=bar,
    )
    if asked.folds:
        return _scores(asked, answer)
    if not asked.json:
        print(f"{asked.out}: {answer['weights_sha256']}")
    return answer


# --- one call -----------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    bar = Bar(sys.stderr)
    try:
        asked = parser().parse_args(words)
        answer = asked.run(asked, bar)
    except EngineError as error:
        bar.close()
        return _refused(error, "--json" in words)
    except KeyboardInterrupt:
        bar.close()
        _refused(EngineError("cancelled", "Stopped from the keyboard. Nothing was written."), "--json" in words)
        return CANCELLED
    except Exception as error:  # a fault of the engine itself: say so in the agreed shape, and keep the trace
        bar.close()
        traceback.print_exc()
        return _refused(EngineError("internal", f"The engine failed: {type(error).__name__}."), "--json" in words)
    bar.close()
    if asked.json:
        print(json.dumps(answer, allow_nan=False))
    return DONE


def _refused(error: EngineError, as_json: bool) -> int:
    if as_json:
        facts = json.loads(json.dumps(error.facts, default=str))
        print(json.dumps({"error": {"code": error.code, "message": error.message, "facts": facts}}))
    else:
        print(f"{error.message} ({error.code})", file=sys.stderr)
    if error.code == "cancelled":
        return CANCELLED
    return ASKED_WRONGLY if error.facts.get("usage") else FAILED
