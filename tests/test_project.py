"""Promises of the project as a whole: imports, keys, settings, documentation, translations."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command, get_commands
from django.db.models import ForeignKey

ROOT = Path(__file__).resolve().parent.parent
# From low to high, as in pyproject.toml's import contract; a key may point to its own level or downward.
LEVELS = ["core", "accounts", "rest", "companies", "listings", "synergies imports alerts", "federation", "pages media aid comments console"]
PRODUCTION = {
    "DEBUG": "false",
    "SECRET_KEY": "x7Jq2v9w3Z5k8N1m4B6c0D-production-like-key-of-a-good-length-!@",
    "ALLOWED_HOSTS": "marketplace.example",
    "SITE_URL": "https://marketplace.example",
    "DATABASE_URL": "sqlite:///:memory:",
    "EMAIL_URL": "smtp://localhost:25",
}


def level(label: str) -> int:
    return next(number for number, labels in enumerate(LEVELS) if label in labels.split())


def own_models():
    return [model for model in apps.get_models() if model.__module__.partition(".")[0] in ("marketplace", "cms", "search")]


def test_foreign_keys_never_point_upward():
    upward = [
        f"{model._meta.label}.{field.name} → {field.related_model._meta.label}"
        for model in own_models()
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey) and field.related_model in own_models() and level(field.related_model._meta.app_label) > level(model._meta.app_label)
    ]
    assert upward == []


@pytest.mark.django_db
def test_migrations_are_complete():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def run_check(environment: dict[str, str]) -> subprocess.CompletedProcess:
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, cwd=ROOT, env=clean | environment, capture_output=True, text=True, check=False, timeout=120)


def test_production_settings_pass_the_deployment_check():
    result = run_check(PRODUCTION)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "SITE_URL", "EMAIL_URL"])
def test_production_start_without_a_value_says_which(name):
    result = run_check({key: value for key, value in PRODUCTION.items() if key != name})
    assert result.returncode != 0
    assert f"Set in the environment: {name}." in result.stderr


def test_every_setting_from_the_environment_is_documented():
    asked = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "marketplace/settings.py").read_text(encoding="utf-8")))
    documented = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs/configuration.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert asked == documented


def test_every_command_is_documented():
    own = {name for name, app in get_commands().items() if str(app).startswith(("marketplace", "cms", "search"))}
    documented = set(re.findall(r"^\| `([a-z_]+)[ `]", (ROOT / "docs/commands.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert own == documented


@pytest.fixture(scope="session")
def source_texts(tmp_path_factory) -> set[tuple[str, str]]:
    """(context, text) of every translatable text in the code, as Django's own extraction finds them."""
    if shutil.which("xgettext") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("missing: gettext: not installed, so the translations cannot be checked")
        pytest.skip("missing: gettext: not installed, so the translations cannot be checked")
    copy = tmp_path_factory.mktemp("texts")
    for folder in ("marketplace", "cms", "search"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("static", "data", "__pycache__", "*.pyc"))
    (copy / "locale").mkdir()
    command = [sys.executable, str(ROOT / "manage.py"), "makemessages", "--locale", "ca", "--no-location", "--no-wrap"]
    subprocess.run(command, cwd=copy, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, capture_output=True, timeout=300)
    return set(messages(copy / "locale/ca/LC_MESSAGES/django.po"))


def messages(path: Path) -> dict[tuple[str, str], bool]:
    """Whether each text of a .po file is translated whole and without doubt."""
    from babel.messages.pofile import read_po  # noqa: PLC0415

    with path.open("rb") as file:
        catalog = read_po(file)
    return {
        (message.context or "", message.id if isinstance(message.id, str) else message.id[0]): bool(message.string)
        and not message.fuzzy
        and (isinstance(message.string, str) or all(message.string))
        for message in catalog
        if message.id
    }


@pytest.mark.parametrize("language", ["ca", "es"])
def test_every_text_is_translated(language, source_texts):
    translated = messages(ROOT / f"locale/{language}/LC_MESSAGES/django.po")
    assert sorted(source_texts - {text for text, done in translated.items() if done}) == []


@pytest.mark.parametrize("language", ["ca", "es"])
def test_translations_keep_their_placeholders(language):
    from babel.messages.pofile import read_po  # noqa: PLC0415

    with (ROOT / f"locale/{language}/LC_MESSAGES/django.po").open("rb") as file:
        catalog = read_po(file)
    placeholder = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
    wrong = []
    for message in catalog:
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        strings = [message.string] if isinstance(message.string, str) else list(message.string)
        wrong += [string for string in strings if message.id and set(placeholder.findall(string)) - set(placeholder.findall(" ".join(ids)))]
    assert wrong == []


#: What a page says at one moment, perhaps before its scripts ran; `expect` of playwright waits until it is so.
AT_ONCE = re.compile(
    r"assert .*(?:\.(?:is_(?:visible|hidden|checked|enabled|disabled)|input_value|all_inner_texts|all_text_contents)\("
    r"|(?:locator|get_by_\w+)\(.*\)\.(?:inner_text|text_content|get_attribute|count)\(|document\.activeElement)"
)


def test_browser_tests_wait_for_what_they_expect():
    assert AT_ONCE.search('assert page.get_by_role("alert").is_visible()'), "the rule itself sees the fault"
    at_once = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if AT_ONCE.search(line)
    ]
    assert at_once == []
