"""Everything below /api/, gathered from the apps."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

urlpatterns = [
    path("", include("server.accounts.api_urls")),
    path("", include("server.realtime.api_urls")),
    path("", include("server.jobs.api_urls")),
    path("", include("server.api.studies")),
    path("", include("server.studies.api")),
    path("", include("server.studies.fusion_api")),
    path("", include("server.studies.registration_api")),
    path("", include("server.studies.intake_api")),
    path("", include("server.studies.tus")),
    path("", include("server.algorithms.api")),
    path("", include("server.reconstructions.api")),
    path("", include("server.reconstructions.comparing.api")),
    path("", include("server.reconstructions.following.api")),
    path("", include("server.readings.api")),
    path("", include("server.readings.agreement.api")),
    path("", include("server.readings.agreement.assigning_api")),
    path("", include("server.readings.cases.api")),
    path("", include("server.api.worklist")),
    path("", include("server.readings.verdicts.api")),
    path("", include("server.readings.response.api")),
    path("", include("server.discussions.api")),
    path("", include("server.approvals.report.api")),
    path("", include("server.approvals.signing.api")),
    path("", include("server.operations.api_urls")),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
]
