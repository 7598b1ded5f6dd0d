"""Where the help for who writes joins the Wagtail admin."""

import json

from django.templatetags.static import static
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from wagtail import hooks

from .access import EditorMenuItem
from .plain_views import GuideView, HintsView


@hooks.register("register_admin_urls")
def addresses() -> list:
    """The hints and the guide."""
    return [
        path("plain-words/", HintsView.as_view(), name="console_plain_words"),
        path("guide/", GuideView.as_view(), name="console_guide"),
    ]


@hooks.register("register_admin_menu_item")
def guide() -> EditorMenuItem:
    """The guide, for those who write."""
    return EditorMenuItem(_("Writing guide"), reverse("console_guide"), name="console_guide", icon_name="help", order=95)


@hooks.register("insert_editor_js")
def hints() -> SafeString:
    """Hints below each text of a page while it is written."""
    words = json.dumps({"guide": str(_("Writing guide")), "label": str(_("Could be plainer"))})
    return format_html(
        '<script src="{}" data-url="{}" data-guide="{}" data-words="{}" defer></script>',
        static("console/plain.js"),
        reverse("console_plain_words"),
        reverse("console_guide"),
        words,
    )
