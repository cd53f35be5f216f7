"""Resumable uploads: tus 1.0 with creation, creation-with-upload, checksum, termination and expiration.

Django's ASGI handler takes a whole body before the view runs and drops it when the browser goes away, so pieces
are small: a PATCH carries at most 8 MiB, is written at the offset and fsynced before 204 says so. A browser that
comes back asks HEAD for the offset and loses at most one piece.
Source: the tus resumable upload protocol 1.0.0.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.http import http_date
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import parsers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from server.core.errors import LaminaError
from server.studies import intakes
from server.studies.models import UploadedFile
from server.studies.selectors import intakes_visible_to, uploads_visible_to

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,termination,expiration"
LARGEST_PIECE = 8 * 1024 * 1024
PIECE_TYPE = "application/offset+octet-stream"
CHECKSUMS: dict[str, Callable[[bytes], Any]] = {"sha256": hashlib.sha256, "sha1": hashlib.sha1}
CHECKSUM_MISMATCH = 460

_headers = [OpenApiParameter("Tus-Resumable", str, OpenApiParameter.HEADER, required=True, enum=[VERSION])]


class PieceParser(parsers.BaseParser):
    """Names the content type; the view reads the bytes itself, after looking at their length.

    It must leave the stream alone: the CSRF check asks for POST data, which runs this parser before the view.
    """

    media_type = PIECE_TYPE

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> bytes:
        return b""


def tus(view: Callable[..., Response]) -> Callable[..., Response]:
    """Every request and answer names the protocol version, except OPTIONS, which asks for it."""

    @functools.wraps(view)
    def wrapped(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        if request.headers.get("Tus-Resumable") != VERSION:
            message = _("This address speaks tus %(version)s. Send the header Tus-Resumable.") % {"version": VERSION}
            raise LaminaError("tus_version", message, 412, supported=VERSION)
        response = view(self, request, *args, **kwargs)
        response["Tus-Resumable"] = VERSION
        return response

    return wrapped


def metadata_of(header: str) -> dict[str, str]:
    """Upload-Metadata: comma-separated names with base64 values."""
    values: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        name, _space, encoded = pair.partition(" ")
        try:
            values[name] = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise LaminaError("bad_metadata", _("Upload-Metadata holds names with base64 values."), 400) from None
    return values


def whole_number(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        message = _("The header %(name)s must be a number of bytes.") % {"name": name}
        raise LaminaError("bad_header", message, 400, header=name)
    return int(text)


def piece_of(request: Request) -> bytes:
    """The body, its length checked before it is read and its checksum after."""
    http: HttpRequest = request._request
    length = http.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > LARGEST_PIECE:
        raise _too_large()
    piece = http.read(LARGEST_PIECE + 1)
    if len(piece) > LARGEST_PIECE:
        raise _too_large()
    if length.isdigit() and len(piece) != int(length):
        raise LaminaError("cut_off", _("The piece ended early. Ask for the offset and go on from there."), 400)
    _check(request.headers.get("Upload-Checksum", ""), piece)
    return piece


def _too_large() -> LaminaError:
    message = _("One piece may hold %(limit)d bytes. Send the file in smaller pieces.") % {"limit": LARGEST_PIECE}
    return LaminaError("too_large", message, 413, limit_bytes=LARGEST_PIECE)


def _check(header: str, piece: bytes) -> None:
    if not header:
        return
    name, _space, encoded = header.partition(" ")
    if name not in CHECKSUMS:
        message = _("The checksum must be one of: %(known)s.") % {"known": ", ".join(CHECKSUMS)}
        raise LaminaError("checksum_unsupported", message, 400)
    try:
        wanted = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise LaminaError("bad_header", _("Upload-Checksum is a name and base64."), 400) from None
    if not hmac.compare_digest(CHECKSUMS[name](piece).digest(), wanted):
        message = _("The piece is not what was sent: its checksum differs. Nothing of it was kept. Send it again.")
        raise LaminaError("checksum_mismatch", message, CHECKSUM_MISMATCH)


def answer(upload: UploadedFile, status: int) -> Response:
    headers = {
        "Upload-Offset": str(upload.offset),
        "Upload-Length": str(upload.length),
        "Upload-Expires": http_date(upload.intake.expires_at.timestamp()),
        "Cache-Control": "no-store",
    }
    return Response(status=status, headers=headers)


def capabilities() -> Response:
    headers = {
        "Tus-Resumable": VERSION,
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(intakes.LONGEST_FILE),
        "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
    }
    return Response(status=204, headers=headers)


class UploadsView(APIView):
    parser_classes = [PieceParser]

    @extend_schema(
        request=None,
        responses={204: OpenApiResponse(description="What this server can do")},
        operation_id="uploads_options",
    )
    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return capabilities()

    @extend_schema(
        request={PIECE_TYPE: OpenApiTypes.BINARY},
        responses={201: OpenApiResponse(description="Location and Upload-Offset stand in the headers")},
        parameters=[
            *_headers,
            OpenApiParameter("Upload-Length", int, OpenApiParameter.HEADER, required=True),
            OpenApiParameter("Upload-Metadata", str, OpenApiParameter.HEADER, required=True),
            OpenApiParameter("Upload-Checksum", str, OpenApiParameter.HEADER),
        ],
        operation_id="uploads_create",
    )
    @tus
    def post(self, request: Request) -> Response:
        """Announce a file of an intake, with its first piece or without."""
        if "Upload-Defer-Length" in request.headers:
            raise LaminaError("bad_header", _("The length of the file must be known. Send Upload-Length."), 400)
        length = whole_number(request, "Upload-Length")
        metadata = metadata_of(request.headers.get("Upload-Metadata", ""))
        try:
            intake_id = UUID(metadata.get("intake", ""))
        except ValueError:
            raise LaminaError("bad_metadata", _("Upload-Metadata must name the intake."), 400) from None
        intake = get_object_or_404(intakes_visible_to(request.user), pk=intake_id)
        has_piece = request.content_type == PIECE_TYPE
        piece = piece_of(request) if has_piece else b""
        name = metadata.get("relativepath") or metadata.get("filename") or metadata.get("name", "")
        sha256 = intakes.decode_sha256(metadata["sha256"]) if metadata.get("sha256") else ""
        upload = intakes.create_upload(intake=intake, name=name, length=length, sha256=sha256)
        if piece and upload.offset == 0:
            upload = intakes.receive_part(upload=upload, offset=0, plain=piece)
        response = answer(upload, 201)
        response["Location"] = f"/api/uploads/{upload.pk}/"
        return response


class UploadView(APIView):
    parser_classes = [PieceParser]

    def upload(self, request: Request, upload_id: UUID) -> UploadedFile:
        return get_object_or_404(uploads_visible_to(request.user), pk=upload_id)

    @extend_schema(exclude=True)
    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return capabilities()

    @extend_schema(
        responses={200: OpenApiResponse(description="Upload-Offset says where to go on")},
        parameters=_headers,
        operation_id="uploads_head",
    )
    @tus
    def head(self, request: Request, upload_id: UUID) -> Response:
        return answer(self.upload(request, upload_id), 200)

    @extend_schema(
        request={PIECE_TYPE: OpenApiTypes.BINARY},
        responses={204: OpenApiResponse(description="Kept; Upload-Offset says where the next piece begins")},
        parameters=[
            *_headers,
            OpenApiParameter("Upload-Offset", int, OpenApiParameter.HEADER, required=True),
            OpenApiParameter("Upload-Checksum", str, OpenApiParameter.HEADER),
        ],
        operation_id="uploads_patch",
    )
    @tus
    def patch(self, request: Request, upload_id: UUID) -> Response:
        """One piece of at most 8 MiB. 409 where the offset is not ours, 460 where the checksum differs."""
        upload = self.upload(request, upload_id)
        if request.content_type != PIECE_TYPE:
            message = _("Send the piece as %(type)s.") % {"type": PIECE_TYPE}
            raise LaminaError("bad_content_type", message, 415)
        offset = whole_number(request, "Upload-Offset")
        upload = intakes.receive_part(upload=upload, offset=offset, plain=piece_of(request))
        return answer(upload, 204)

    @extend_schema(
        responses={204: OpenApiResponse(description="Taken back")}, parameters=_headers, operation_id="uploads_delete"
    )
    @tus
    def delete(self, request: Request, upload_id: UUID) -> Response:
        """Take one file back."""
        intakes.remove_upload(upload=self.upload(request, upload_id))
        return Response(status=204)


urlpatterns = [
    path("uploads/", UploadsView.as_view(), name="api-uploads"),
    path("uploads/<uuid:upload_id>/", UploadView.as_view(), name="api-upload"),
]
