"""Addresses below /api/ about people and projects."""

from django.urls import path

from server.accounts import api
from server.accounts import api_own as own

urlpatterns = [
    path("me/", api.MeView.as_view(), name="api-me"),
    path("me/password/", own.PasswordView.as_view(), name="api-me-password"),
    path("me/sessions/", own.SessionsView.as_view(), name="api-me-sessions"),
    path("me/sessions/<int:session_id>/", own.SessionView.as_view(), name="api-me-session"),
    path("invitations/<str:token>/", own.InvitationLinkView.as_view(), name="api-invitation-link"),
    path("projects/", api.ProjectsView.as_view(), name="api-projects"),
    path("projects/<uuid:project_id>/", api.ProjectView.as_view(), name="api-project"),
    path("projects/<uuid:project_id>/members/", api.MembersView.as_view(), name="api-members"),
    path("projects/<uuid:project_id>/members/<uuid:user_id>/", api.MemberView.as_view(), name="api-member"),
    path("projects/<uuid:project_id>/invitations/", api.InvitationsView.as_view(), name="api-invitations"),
    path(
        "projects/<uuid:project_id>/invitations/<uuid:invitation_id>/",
        api.InvitationView.as_view(),
        name="api-invitation",
    ),
    path("people/", api.PeopleView.as_view(), name="api-people"),
    path("people/<uuid:user_id>/", api.PersonView.as_view(), name="api-person"),
    path("people/<uuid:user_id>/reset-password/", api.ResetPasswordView.as_view(), name="api-reset-password"),
    path("people/<uuid:user_id>/end-sessions/", api.EndSessionsView.as_view(), name="api-end-sessions"),
]
