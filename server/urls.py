"""The root of all addresses: accounts, the API, the pages."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("api/", include("server.api.urls")),
    path("", include("server.api.pages_urls")),
]

handler400 = "server.api.pages.bad_request"
handler403 = "server.api.pages.permission_denied"
handler404 = "server.api.pages.not_found"
handler500 = "server.api.pages.server_error"
