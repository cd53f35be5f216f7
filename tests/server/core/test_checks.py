"""`serve` refuses what would be unsafe, and says each thing with its cure."""

from __future__ import annotations

import pytest

from server.core import checks

SAFE = {"LAMINA_SECRET_KEY": "x" * 60, "LAMINA_ROOT_KEY": "y"}


@pytest.fixture
def safe(settings, monkeypatch):
    settings.DEBUG, settings.LAMINA_TLS, settings.LAMINA_DEMO = False, True, False
    settings.SECRET_KEY, settings.ALLOWED_HOSTS = "x" * 60, ["lamina.example.org"]
    monkeypatch.delenv("LAMINA_TESTING", raising=False)
    for name, value in SAFE.items():
        monkeypatch.setenv(name, value)
    return settings


def codes(found):
    return {error.id for error in found}


def test_safe_settings_are_let_through(safe):
    assert checks.refuse_unsafe_settings(None) == []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("DEBUG", True, "lamina.E001"),
        ("SECRET_KEY", "short", "lamina.E003"),
        ("ALLOWED_HOSTS", ["*"], "lamina.E004"),
        ("LAMINA_DEMO", True, "lamina.E005"),
        ("LAMINA_TLS", False, "lamina.E006"),
    ],
)
def test_each_unsafe_setting_is_refused(safe, name, value, code):
    setattr(safe, name, value)
    assert codes(checks.refuse_unsafe_settings(None)) == {code}


def test_missing_keys_and_test_hashing_are_refused(safe, monkeypatch):
    monkeypatch.delenv("LAMINA_ROOT_KEY")
    monkeypatch.setenv("LAMINA_TESTING", "1")
    assert codes(checks.refuse_unsafe_settings(None)) == {"lamina.E002", "lamina.E007"}


def test_an_active_demo_account_is_refused(db, make_user):
    user = make_user("demo", is_demo=True)
    assert "lamina.E011" in codes(checks.refuse_unsafe_database(None))
    user.is_active = False
    user.save()
    assert "lamina.E011" not in codes(checks.refuse_unsafe_database(None))
