"""HTTP goes to Django, but for static files; /ws/ goes to the live socket."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "server.settings")

from django.core.asgi import get_asgi_application

http = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

from server.api.limits import BodyLimit  # noqa: E402
from server.core.staticfiles import StaticFiles  # noqa: E402
from server.realtime.consumers import LiveConsumer  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": StaticFiles(BodyLimit(http)),
        "websocket": AuthMiddlewareStack(URLRouter([path("ws/", LiveConsumer.as_asgi())])),
    }
)
