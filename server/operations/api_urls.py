"""Addresses below /api/ for those who run the site or a project."""

from django.urls import path

from server.operations import api, audit

urlpatterns = [
    path("operations/", api.OperationsView.as_view(), name="api-operations"),
    path("projects/<uuid:project_id>/audit/", audit.AuditView.as_view(), name="api-project-audit"),
    path("projects/<uuid:project_id>/audit/verify/", audit.AuditVerifyView.as_view(), name="api-project-audit-verify"),
    path("projects/<uuid:project_id>/audit/export/", audit.AuditExportView.as_view(), name="api-project-audit-export"),
]
