"""How much of anything one inspection may take. Real files kill real parsers, so every number is finite.

The values are those of the promises page: an archive of at most 20,000 entries and 4 GiB inflated, 32 nested
sequences, 100,000 elements, 4 GiB declared, 2^31 voxels. The process limits stop what the counted ones miss.
"""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from typing import Any

ARCHIVE_ENTRIES = 20_000
INFLATED_BYTES = 4 << 30
DEFLATED_INSTANCE_BYTES = 512 << 20  # one deflated DICOM instance or one gzip NIfTI header-to-voxel check
SEQUENCE_DEPTH = 32
ELEMENTS = 100_000
DECLARED_BYTES = 4 << 30
VOXELS = 1 << 31
PICTURE_PIXELS = 1 << 28  # one frame, PNG or JPEG


@dataclass(frozen=True)
class ProcessLimits:
    """What the child process may use. Zero means no limit of that kind."""

    address_space_bytes: int = 12 << 30
    cpu_seconds: int = 900
    file_bytes: int = 16 << 30
    wall_seconds: int = 1200

    @classmethod
    def from_environment(cls) -> ProcessLimits:
        """LAMINA_INTAKE_MEMORY_MIB and LAMINA_INTAKE_SECONDS change the two that a small machine has to."""
        memory = int(os.environ.get("LAMINA_INTAKE_MEMORY_MIB", "0") or 0) << 20
        seconds = int(os.environ.get("LAMINA_INTAKE_SECONDS", "0") or 0)
        default = cls()
        return cls(
            address_space_bytes=memory or default.address_space_bytes,
            cpu_seconds=seconds or default.cpu_seconds,
            wall_seconds=seconds * 2 or default.wall_seconds,
        )

    def apply(self) -> None:
        """Set them on this process; they hold for its children too. A lower limit that is already set stays."""
        for kind, value in (
            (resource.RLIMIT_AS, self.address_space_bytes),
            (resource.RLIMIT_CPU, self.cpu_seconds),
            (resource.RLIMIT_FSIZE, self.file_bytes),
            (resource.RLIMIT_CORE, 1),
        ):
            if not value:
                continue
            wanted = 0 if kind == resource.RLIMIT_CORE else value
            _soft, hard = resource.getrlimit(kind)
            resource.setrlimit(kind, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))

    def to_dict(self) -> dict[str, Any]:
        return {
            "address_space_bytes": self.address_space_bytes,
            "cpu_seconds": self.cpu_seconds,
            "file_bytes": self.file_bytes,
            "wall_seconds": self.wall_seconds,
        }
