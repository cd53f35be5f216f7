"""Addresses below /api/ for those who run the site."""

from django.urls import path

from server.operations import api

urlpatterns = [path("operations/", api.OperationsView.as_view(), name="api-operations")]
