"""In which language the console speaks."""

import pytest
from django.urls import reverse


@pytest.mark.parametrize(("language", "heading"), [("ca", "Pendents de revisió"), ("en", "Waiting for review")])
def test_console_speaks_the_language_of_the_account_whatever_the_browser_says(console, curator, language, heading):
    curator.language = language
    curator.save(update_fields=["language"])
    page = console.get(reverse("console_waiting"), headers={"Accept-Language": "es"}).text
    assert f'lang="{language}"' in page.partition("<head>")[0]
    assert heading in page


def test_console_is_titled_with_the_name_of_the_site(console, settings):
    assert f"- {settings.SITE_NAME}</title>" in console.get(reverse("console_waiting")).text
