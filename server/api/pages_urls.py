"""Addresses of the pages; the API has its own below /api/."""

from django.urls import path

from server.api import pages
from server.approvals.report.api import report_page

urlpatterns = [
    path("", pages.worklist, name="worklist"),
    path("import/", pages.import_files, name="import"),
    path("studies/<uuid:study_id>/", pages.study, name="study"),
    path("reports/<uuid:report_id>/", report_page, name="report"),
    path("algorithms/", pages.algorithms, name="algorithms"),
    path("operations/", pages.operations, name="operations"),
    path("settings/", pages.settings, name="settings"),
    path("projects/", pages.projects, name="projects"),
    path("projects/<slug:slug>/team/", pages.team, name="team"),
    path("projects/<slug:slug>/reading/", pages.reading, name="reading"),
    path("projects/<slug:slug>/agreement/", pages.agreement, name="agreement"),
    path("projects/<slug:slug>/reliance/", pages.reliance, name="reliance"),
    path("projects/<slug:slug>/audit/", pages.audit, name="audit"),
    path("components/", pages.components, name="components"),
    path("invitations/<str:token>/", pages.invitation, name="invitation"),
]
