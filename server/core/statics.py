"""Static files: our modules hashed by content, libraries as they are under a folder that names their version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

from server.core import bundles

LIBRARIES = "vendor/"


class LaminaStatics(CompressedManifestStaticFilesStorage):
    """Hashes names inside our ES modules too, and leaves library folders untouched.

    Rewriting goes by pattern and fails on the chunks some libraries ship, and their own relative addresses
    (`new URL(..., import.meta.url)`) would miss the hashed names; their folder holds the version instead.
    """

    support_js_module_import_aggregation = True
    # A pass settles the names of modules whose imports are settled; the deepest chain of imports may need as many.
    max_post_process_passes = 30

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        ours = {name: value for name, value in paths.items() if not name.startswith(LIBRARIES)}
        yield from super().post_process(ours, dry_run, **options)
        if not dry_run:
            bundles.made(self.stored_name, self._keep)
            self.save_manifest()

    def _keep(self, name: str, text: str) -> str:
        """A bundle under a name with its hash, packed too; that name."""
        content = ContentFile(text.encode())
        stored = self.clean_name(super().hashed_name(name, content))
        if self.exists(stored):
            self.delete(stored)
        self._save(stored, content)
        self.hashed_files[self.hash_key(self.clean_name(name))] = stored
        list(self.create_compressor(quiet=True).compress(self.path(stored)))
        return stored

    def hashed_name(self, name: str, content: Any = None, filename: str | None = None) -> str:
        """Our style sheets name library fonts too; those addresses must stay as the files are."""
        return name if name.startswith(LIBRARIES) else super().hashed_name(name, content, filename)

    def stored_name(self, name: str) -> str:
        return name if name.startswith(LIBRARIES) else super().stored_name(name)

    def _stored_name(self, name: str, hashed_files: dict[str, str]) -> str:
        # Django asks this one for addresses inside our style sheets (the fonts lie in a library's folder).
        return name if name.startswith(LIBRARIES) else super()._stored_name(name, hashed_files)
