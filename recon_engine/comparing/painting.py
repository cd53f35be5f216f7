"""The surfaces of both labelmaps, and each vertex's distance to the other one's surface."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from numpy.typing import NDArray

from recon_engine.comparing.distances import Nearest, TriangleTree, signed
from recon_engine.comparing.grids import member_of
from recon_engine.contract import SegmentPair
from recon_engine.parallel import Slabs
from recon_engine.surface import Mesh, Part, Wanted, browser_glb, make_surfaces, pack
from recon_engine.volume import Volume

LEFT, RIGHT = 0, 1
KEPT_SHARE = 0.2  # of the triangles: twice what is shown elsewhere, since the colour hangs on the vertices


@dataclass
class Painted:
    """A surface; where the other one has a surface too, `found` and `mm` (n,): positive outside the other."""

    mesh: Mesh
    tree: TriangleTree
    found: Nearest | None = None
    mm: NDArray | None = None


def numbers_of(pair: SegmentPair, side: int) -> tuple[int, ...]:
    return pair.left if side == LEFT else pair.right


def paint(
    labelmaps: tuple[Volume, Volume],
    pairs: Sequence[SegmentPair],
    slabs: Slabs,
    report: Callable[[float, str], None],
) -> dict[tuple[int, int], Painted]:
    """(place of the pair, LEFT or RIGHT) -> its surface with distances. Empty segments are left out."""
    made: dict[tuple[int, int], Painted] = {}
    for side, labelmap in enumerate(labelmaps):
        groups = [(n, numbers_of(pair, side)) for n, pair in enumerate(pairs) if numbers_of(pair, side)]

        def tell(fraction: float, detail: str, side: int = side) -> None:
            report((side + fraction) / 3, detail)

        wanted = [Wanted(numbers[0], tuple(numbers[1:])) for _, numbers in groups]
        surfaces = make_surfaces(labelmap, wanted, slabs.threads, tell, KEPT_SHARE) if wanted else []
        shown = [(n, one.mesh) for (n, _), one in zip(groups, surfaces, strict=True) if not one.mesh.empty]
        with ThreadPoolExecutor(slabs.threads) as pool:
            trees = list(pool.map(lambda one: TriangleTree(one[1]), shown))
        made |= {(n, side): Painted(mesh, tree) for (n, mesh), tree in zip(shown, trees, strict=True)}
    for done, ((n, side), one) in enumerate(made.items()):
        other = made.get((n, 1 - side))
        if other is not None:
            one.found = other.tree.nearest(one.mesh.vertices, slabs)
            member = member_of(numbers_of(pairs[n], 1 - side))
            one.mm = signed(one.mesh.vertices, one.found, labelmaps[1 - side], member)
        report((2 + (done + 1) / len(made)) / 3, "")
    return made


def painted_glb(
    pairs: Sequence[SegmentPair], painted: dict[tuple[int, int], Painted], side: int, frame: str | None
) -> bytes:
    """The browser's file of one side: a node per segment, each vertex with `_DISTANCE_MM` where it has one."""
    shown = [(pair, painted[n, side]) for n, pair in enumerate(pairs) if (n, side) in painted]
    parts = [Part(pair.number, pair.label, pair.colour, one.mesh) for pair, one in shown]
    extras = {
        "unit": "mm",
        "frame": "LPS",
        "frame_of_reference_uid": frame,
        "side": "a" if side == LEFT else "b",
        "_DISTANCE_MM": "positive outside the other surface",
        "notice": "Not for clinical use",
    }
    return browser_glb(parts, extras, "", [pack(one.mesh, one.mm) for _, one in shown])
