from django.urls import path

from server.realtime.api import EventsView

urlpatterns = [path("events/", EventsView.as_view(), name="api-events")]
