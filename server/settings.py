"""One settings file for the demo, the tests and production, read from the environment."""

from __future__ import annotations

import os
from pathlib import Path

from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from server import environment

BASE_DIR = Path(__file__).resolve().parent.parent
LAMINA_HOME = environment.home()
LAMINA_STORAGE = Path(os.environ.get("LAMINA_STORAGE") or LAMINA_HOME / "storage")
LAMINA_ROOT_KEY = environment.kept_secret("LAMINA_ROOT_KEY", "root.key")
LAMINA_DEMO = environment.flag("LAMINA_DEMO")
LAMINA_TLS = environment.flag("LAMINA_TLS")
LAMINA_EVENT_DAYS = int(os.environ.get("LAMINA_EVENT_DAYS", "30"))
LAMINA_BIN_DAYS = 30
LAMINA_UPLOAD_HOURS = 24
LAMINA_SESSION_HOURS = 12
LAMINA_VERSION = "0.1.0"

# How soon a lost worker is noticed. Shorter only in fault tests: importing torch delays a beat by up to 0.45 s.
LAMINA_LEASE_SECONDS = float(os.environ.get("LAMINA_LEASE_SECONDS", "10"))
LAMINA_SWEEP_SECONDS = float(os.environ.get("LAMINA_SWEEP_SECONDS", "3"))
LAMINA_HINT_SECONDS = float(os.environ.get("LAMINA_HINT_SECONDS", "5"))

DEBUG = environment.flag("LAMINA_DEBUG")
SECRET_KEY = os.environ.get("LAMINA_SECRET_KEY") or environment.kept_secret("", "secret.key").hex()
ALLOWED_HOSTS = [h for h in os.environ.get("LAMINA_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if h]
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("LAMINA_TRUSTED_ORIGINS", "").split(",") if o]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "django_filters",
    "channels",
    "csp",
    "server.core",
    "server.realtime",
    "server.accounts",
    "server.jobs",
    "server.studies",
    "server.algorithms",
    "server.reconstructions",
    "server.readings",
    "server.discussions",
    "server.approvals",
    "server.operations",
    "server.api",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "server.accounts.middleware.PersonMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "server.urls"
ASGI_APPLICATION = "server.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "frontend" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "server.api.context.shell",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- stores -----------------------------------------------------------------------------------------------------
DATABASES = {"default": environment.database()}
if not environment.flag("LAMINA_NO_POOL"):
    # The pool belongs to one process; a Celery child opens its own.
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 0, "max_size": 12, "timeout": 20}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": environment.redis_url(1),
        "KEY_PREFIX": "lamina",
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            # redis-py 8 stops at 100 connections per pool unless told otherwise.
            "hosts": [{"address": environment.redis_url(1), "max_connections": 10_000}],
            "prefix": os.environ.get("LAMINA_CHANNEL_PREFIX", "lamina"),
        },
    }
}

# --- people -----------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "server.accounts.adapter.ClosedDoor"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
# allauth counts these in the shared cache, per address and per account (the account's name is hashed).
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "20/m/ip,6/5m/key"}
if environment.flag("LAMINA_TESTING"):
    ACCOUNT_RATE_LIMITS = {"login": "6000/m/ip", "login_failed": "2000/m/ip,6/5m/key"}
    PASSWORD_HASHERS = ["server.accounts.hashers.QuickArgon2"]
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Lamina"
USERSESSIONS_TRACK_ACTIVITY = False  # accounts.middleware notes it once a minute instead of at every slice

SESSION_COOKIE_AGE = LAMINA_SESSION_HOURS * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "server.api.failures.csrf_failure"
SESSION_COOKIE_NAME = "lamina_session"
CSRF_COOKIE_NAME = "lamina_csrf"
if LAMINA_TLS:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-lamina_session", "__Host-lamina_csrf"
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True

# --- browser ----------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE, "'wasm-unsafe-eval'"],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

STATIC_URL = "/static/"
STATIC_ROOT = Path(os.environ.get("LAMINA_STATIC_ROOT") or LAMINA_HOME / "collected")
STATICFILES_DIRS = [BASE_DIR / "frontend" / "static", ("vendor", BASE_DIR / "frontend" / "vendor")]
STATICFILES_DIRS = [d for d in STATICFILES_DIRS if Path(d[1] if isinstance(d, tuple) else d).is_dir()]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "server.core.statics.LaminaStatics"},
}
if environment.flag("LAMINA_PLAIN_STATICS"):
    # Tests and work on the pages: straight from the folders, without collecting first.
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
WHITENOISE_MAX_AGE = 3600
WHITENOISE_ALLOW_ALL_ORIGINS = False

# --- language and time ------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "frontend" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- API --------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["server.accounts.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "server.core.errors.problem_response",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Lamina",
    "VERSION": LAMINA_VERSION,
    "DESCRIPTION": "Review of deep-learning 3D reconstructions. Not for clinical use.",
    "SERVE_INCLUDE_SCHEMA": False,
    # Fields of one name with other choices: each set of choices has a name of its own.
    "ENUM_NAME_OVERRIDES": {
        "RoleEnum": "server.accounts.models.Role",
        "CaseRoleEnum": ["reader", "adjudicator", "admin", "other"],
        "JobStateEnum": "server.jobs.states.JobState",
        "CaseStateEnum": "server.readings.cases.states.CaseState",
        "ReadingStateEnum": "server.readings.cases.states.ReadingState",
        "ReadingKindEnum": "server.readings.cases.states.ReadingKind",
        "DifferencesStateEnum": ["none", "waiting", "working", "ready", "failed"],
        "AnnotationActEnum": "server.readings.models.annotations.Act",
        "VerdictActEnum": "server.readings.models.verdicts.VerdictAct",
    },
}
# An 8 MiB upload chunk of patient bytes stays in memory: it is never spooled to a clear file.
DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = 9 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000

# --- logs: the route's name and ids, never a URL, a file name or a value from an image ---------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "lamina": {"level": "INFO"},
        # Django's request logger writes paths and tracebacks with locals' reprs are off; keep errors, drop 4xx noise.
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "ERROR"},
    },
}

# --- mail: links only, and only where a server is set up ----------------------------------------------------------
EMAIL_URL = os.environ.get("EMAIL_URL", "")
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
if EMAIL_URL:
    from urllib.parse import unquote, urlsplit

    _mail = urlsplit(EMAIL_URL)
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = _mail.hostname or "localhost", _mail.port or 25
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
    EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.scheme == "smtp+tls", _mail.scheme == "smtps"
