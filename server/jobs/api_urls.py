from django.urls import path

from server.jobs.api import CancelJobView, JobsView, JobView, RetryJobView

urlpatterns = [
    path("jobs/", JobsView.as_view(), name="api-jobs"),
    path("jobs/<uuid:job_id>/", JobView.as_view(), name="api-job"),
    path("jobs/<uuid:job_id>/cancel/", CancelJobView.as_view(), name="api-job-cancel"),
    path("jobs/<uuid:job_id>/retry/", RetryJobView.as_view(), name="api-job-retry"),
]
