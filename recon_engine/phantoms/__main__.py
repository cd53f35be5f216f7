"""python -m recon_engine.phantoms OUT --seed N --kind torso"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from recon_engine.phantoms import KINDS, write_phantom


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="recon_engine.phantoms", description="Write a phantom as a DICOM CT series.")
    parser.add_argument("out", type=Path, help="a new or empty folder")
    parser.add_argument("--kind", choices=KINDS, default="torso")
    parser.add_argument("--seed", type=int, default=0, help="equal seeds give equal files")
    parser.add_argument("--spacing", type=float, default=2.0, metavar="MM", help="edge of a voxel")
    parser.add_argument("--truth", action="store_true", help="also write truth.nii.gz and truth.json beside OUT")
    given = parser.parse_args(arguments)
    if given.out.exists() and (not given.out.is_dir() or any(given.out.iterdir())):
        print(f"{given.out} is there already. Name a folder that is new or empty.", file=sys.stderr)
        return 2
    made = write_phantom(given.out, given.kind, given.seed, given.spacing)
    truth = {
        "names": {str(n): name for n, name in made.names.items()},
        "volumes_ml": made.volumes_ml,
        "lesions": [
            {"organ": o.organ, "centre_mm": o.centre_mm, "radii_mm": o.radii_mm, "volume_ml": o.volume_ml}
            for o in made.lesions
        ],
        "lengths_mm": made.lengths_mm,
        "angles_degrees": made.angles_degrees,
        "points_mm": made.points_mm,
    }
    if given.truth:
        from recon_engine.results import labelmap_files

        beside = given.out.parent
        (beside / f"{given.out.name}.truth.nii.gz").write_bytes(labelmap_files(made.labels)[0])
        (beside / f"{given.out.name}.truth.json").write_text(json.dumps(truth, indent=1), encoding="utf-8")
    print(json.dumps(truth["volumes_ml"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
