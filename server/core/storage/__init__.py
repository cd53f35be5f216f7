"""The only door to stored files. Nothing else in the server opens, writes or removes one.

Objects belong to one owner (a study or an upload) and are encrypted under its key. A reference is
"<owner_id>/<sha256 of the stored bytes>".
"""

from server.core.storage.objects import (
    IntegrityError,
    ObjectReader,
    StorageFull,
    check_reserve,
    erase_owner,
    open_range,
    put,
    put_file,
    read,
    reader,
    remove,
    size,
)
from server.core.storage.parts import append_part, new_plain_file, read_part, remove_part
from server.core.storage.workspaces import clean_workspaces, materialise, workspace

__all__ = [
    "IntegrityError",
    "ObjectReader",
    "StorageFull",
    "append_part",
    "check_reserve",
    "clean_workspaces",
    "erase_owner",
    "materialise",
    "new_plain_file",
    "open_range",
    "put",
    "put_file",
    "read",
    "read_part",
    "reader",
    "remove",
    "remove_part",
    "size",
    "workspace",
]
