"""Closed surfaces against balls and boxes whose truth is known."""

import numpy as np
import pytest

from recon_engine.phantoms import make_torso, sphere_phantom
from recon_engine.surface import Part, Wanted, browser_glb, make_surfaces, plain_glb
from recon_engine.surface.meshes import Mesh, restore_volume
from recon_engine.volume import Volume

FINE = (1.0, 0.78125, 0.78125)
THICK = (3.0, 0.78125, 0.78125)


def axial(shape, spacing=(1.0, 1.0, 1.0)):
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = *spacing, 1.0
    return Volume(np.zeros(shape, np.uint8), affine)


def turned(degrees, axis, spacing, origin=(0.0, 0.0, 0.0), mirror=False):
    """An affine whose grid is turned in space; `mirror` reverses its first axis."""
    from scipy.spatial.transform import Rotation

    affine = np.eye(4)
    matrix = np.zeros((3, 3))
    matrix[2, 0], matrix[1, 1], matrix[0, 2] = spacing
    affine[:3, :3] = Rotation.from_rotvec(np.radians(degrees) * np.array(axis)).as_matrix() @ matrix
    if mirror:
        affine[:3, 0] *= -1
    affine[:3, 3] = origin
    return affine


def ball_errors(mesh, centre, radius):
    """Mean distance in mm over vertices, triangle and edge middles; mean angle of triangles in degrees."""
    points = mesh.vertices.astype(np.float64) - centre
    corners = points[mesh.triangles]
    probes = np.concatenate([points, corners.mean(1), (corners[:, 0] + corners[:, 1]) / 2])
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(normals, axis=1)
    outward = corners.mean(1) / np.linalg.norm(corners.mean(1), axis=1, keepdims=True)
    cosine = np.einsum("ij,ij->i", normals / np.maximum(area, 1e-12)[:, None], outward)
    angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return np.abs(np.linalg.norm(probes, axis=1) - radius).mean(), float((angle * area).sum() / area.sum())


@pytest.mark.parametrize("radius", [6.0, 10.0, 15.0, 40.0])
def test_a_ball_comes_back_round_and_with_its_own_volume(radius):
    made = sphere_phantom(radius, FINE)
    surface = make_surfaces(made.labels, [Wanted(1)], 1)[0]
    true = 4 / 3 * np.pi * radius**3
    counting = abs(surface.volume_mm3 / true - 1)
    assert surface.mesh.is_closed()
    assert abs(surface.mesh.measure()[0] / true - 1) <= counting + 0.005
    distance, angle = ball_errors(surface.mesh, np.array(made.points_mm["centre"]), radius)
    assert distance <= 0.06
    assert angle <= 3.5


@pytest.mark.parametrize("spacing", [FINE, THICK])
@pytest.mark.parametrize("radius", [6.0, 20.0])
def test_the_surface_holds_the_volume_of_its_voxels(radius, spacing):
    made = sphere_phantom(radius, spacing)
    surface = make_surfaces(made.labels, [Wanted(1)], 1)[0]
    assert surface.voxels == np.count_nonzero(made.labels.voxels)
    assert surface.mesh.measure()[0] == pytest.approx(surface.volume_mm3, rel=2e-3)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("degrees", [0, 37])
def test_a_ball_lies_where_its_voxels_lie_and_turns_outward(degrees, mirror):
    affine = turned(degrees, (0.6, 0.0, 0.8), (2.0, 0.9, 1.1), (-120.0, 40.0, 310.0), mirror)
    made = sphere_phantom(14.0, (2.0, 0.9, 1.1), affine=affine)
    mesh = make_surfaces(made.labels, [Wanted(1)], 1)[0].mesh
    volume, _ = mesh.measure()
    assert volume > 0, "triangles turn outward in LPS"
    assert np.allclose((mesh.vertices.min(0) + mesh.vertices.max(0)) / 2, made.points_mm["centre"], atol=0.6)
    outward = np.einsum("ij,ij->i", mesh.normals(), mesh.vertices - np.array(made.points_mm["centre"]))
    assert (outward > 0).all()


def test_a_box_at_the_edge_of_the_volume_is_closed():
    labels = axial((6, 7, 8))
    labels.voxels[:3, :4, :] = 1
    surface = make_surfaces(labels, [Wanted(1)], 1)[0]
    assert surface.mesh.is_closed()
    assert surface.mesh.measure()[0] == pytest.approx(3 * 4 * 8, rel=5e-3)


def test_voxels_that_touch_by_an_edge_or_a_corner_stay_closed():
    """Where a surface meets itself, four triangles share an edge; nothing may gape there."""
    labels = axial((12, 12, 12))
    draw = np.random.default_rng(3)
    labels.voxels[2:10, 2:10, 2:10] = draw.integers(0, 3, (8, 8, 8))
    for number, surface in enumerate(make_surfaces(labels, [Wanted(1), Wanted(2)], 1, keep=1.0), 1):
        assert surface.mesh.is_closed(), number


def test_neighbours_share_their_border():
    labels = axial((20, 20, 20))
    labels.voxels[5:15, 5:15, 5:10] = 1
    labels.voxels[5:15, 5:15, 10:15] = 2
    from recon_engine.surface.nets import find_borders

    nets = find_borders(labels.voxels, [1, 2], 1)
    member = np.zeros((3, 256), bool)
    member[0, 1] = member[1, 2] = member[2, [1, 2]] = True
    areas = [Mesh(*nets.surface_of(m, (1, 1, 1), False)).measure() for m in member]
    # Seen with (k, j, i) as coordinates the grid is left-handed, hence the sign.
    assert areas[0][0] + areas[1][0] == pytest.approx(areas[2][0], rel=1e-6)
    assert areas[2][0] < 0


def test_what_encloses_is_drawn_round_what_it_encloses():
    labels = axial((40, 40, 40))
    labels.voxels[5:35, 5:35, 5:35] = 2
    labels.voxels[15:25, 15:25, 15:25] = 1
    inner, outer = make_surfaces(labels, [Wanted(1), Wanted(2, (1,))], 1)
    assert inner.volume_mm3 == 1000
    assert outer.volume_mm3 == 27000
    assert outer.mesh.measure()[0] == pytest.approx(27000, rel=2e-3)
    assert np.linalg.norm(outer.mesh.vertices - 19.5, axis=1).min() > 12, "no inner sheet round the core"


def test_absent_segments_and_empty_labelmaps_have_no_surface():
    labels = axial((10, 10, 10))
    assert [s.mesh.empty for s in make_surfaces(labels, [Wanted(1), Wanted(7)], 1)] == [True, True]
    labels.voxels[4:6, 4:6, 4:6] = 1
    made = make_surfaces(labels, [Wanted(7), Wanted(1)], 1)
    assert [s.number for s in made] == [7, 1]
    assert made[0].mesh.empty
    assert made[0].voxels == 0
    assert not made[1].mesh.empty


def test_one_voxel_is_shown_unsmoothed_with_its_doubt():
    labels = axial((9, 9, 9), THICK)
    labels.voxels[4, 4, 4] = 1
    surface = make_surfaces(labels, [Wanted(1)], 1)[0]
    assert surface.small
    assert surface.doubt > 0.5
    assert surface.mesh.is_closed()
    middle = labels.to_mm((4, 4, 4))
    assert np.allclose((surface.mesh.vertices.min(0) + surface.mesh.vertices.max(0)) / 2, middle, atol=0.05)
    assert surface.mesh.measure()[0] == pytest.approx(3 * 0.78125**2, rel=0.02)


def test_a_small_lesion_on_thick_slices_says_so_and_a_large_one_does_not():
    small = make_surfaces(sphere_phantom(2.5, THICK).labels, [Wanted(1)], 1)[0]
    large = make_surfaces(sphere_phantom(12.0, THICK).labels, [Wanted(1)], 1)[0]
    assert small.small
    assert small.doubt > 0
    assert not large.small


def test_the_same_bytes_from_any_number_of_threads():
    """Goal 7: 1, 2 and n threads and a second run."""
    made = make_torso(seed=4, spacing_mm=4.0)
    wanted = [Wanted(n) for n in made.names]
    files = set()
    for threads in (1, 2, 5, 2):
        surfaces = make_surfaces(made.labels, wanted, threads)
        parts = [Part(s.number, made.names[s.number], "#FB9202", s.mesh) for s in surfaces]
        packed = [s.packed for s in surfaces if s.packed]
        files.add((plain_glb(parts, {}), browser_glb(parts, {}, "", packed)))
        assert all(s.mesh.is_closed() for s in surfaces)
    assert len(files) == 1


def test_restoring_a_volume_moves_all_vertices_by_one_distance():
    mesh = make_surfaces(sphere_phantom(10.0).labels, [Wanted(1)], 1)[0].mesh
    have, area = mesh.measure()
    grown = restore_volume(mesh, have * 1.1, 5.0)
    moved = np.linalg.norm(grown.vertices - mesh.vertices, axis=1)
    assert grown.measure()[0] == pytest.approx(have * 1.1, rel=1e-3)
    assert moved.max() - moved.min() < 0.05
    assert moved.mean() == pytest.approx(0.1 * have / area, rel=0.1)
    held = restore_volume(mesh, have * 10, 0.5)
    assert np.linalg.norm(held.vertices - mesh.vertices, axis=1).max() <= 0.51, "no farther than allowed"


def test_normals_are_of_unit_length_even_where_a_surface_folds_flat():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    folded = Mesh(vertices, np.array([[0, 1, 2], [2, 1, 0]], np.uint32))
    assert folded.is_closed()
    assert np.allclose(np.linalg.norm(folded.normals(), axis=1), 1)


def test_an_open_surface_is_seen_as_open():
    mesh = make_surfaces(sphere_phantom(8.0).labels, [Wanted(1)], 1)[0].mesh
    assert mesh.is_closed()
    assert not Mesh(mesh.vertices, mesh.triangles[1:]).is_closed()
    assert not Mesh(mesh.vertices, np.vstack([mesh.triangles[:-1], mesh.triangles[-1:, ::-1]])).is_closed()


def test_without_the_library_the_fallback_thins_as_well(monkeypatch):
    from recon_engine.surface import meshopt

    mesh = make_surfaces(sphere_phantom(20.0).labels, [Wanted(1)], 1, keep=1.0)[0].mesh
    monkeypatch.setattr(meshopt, "library", lambda: None)
    vertices, triangles = meshopt.simplify(mesh.vertices, mesh.triangles, len(mesh.triangles) // 5)
    thin = Mesh(vertices, triangles)
    assert len(triangles) <= len(mesh.triangles) // 4
    assert thin.measure()[0] == pytest.approx(mesh.measure()[0], rel=0.02)
    with pytest.raises(RuntimeError, match="imagecodecs"):
        meshopt.encode_triangles(triangles, len(vertices))


def test_the_library_is_found_in_the_pinned_wheel():
    from recon_engine.surface import meshopt

    assert meshopt.library() is not None


def test_loops_compile_where_nothing_can_be_written(monkeypatch):
    """A read-only installation with an empty home keeps no machine code and still runs."""
    from numba.core import caching

    from recon_engine.compiled import loop

    class Nowhere(caching.FunctionCache):
        def __init__(self, function):
            raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr("numba.core.dispatcher.FunctionCache", Nowhere)

    @loop()
    def double(value):
        return 2 * value

    assert double(21) == 42
