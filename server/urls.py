"""The root of all addresses: accounts, the API, the pages."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("api/", include("server.api.urls")),
    path("", include("server.api.pages_urls")),
]

handler400 = "server.api.failures.bad_request"
handler403 = "server.api.failures.permission_denied"
handler404 = "server.api.failures.not_found"
handler500 = "server.api.failures.server_error"
