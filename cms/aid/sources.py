"""Which version of a page keeps the facts: the one written first, in whatever language. The others only translate its texts."""

from typing import Any

from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from wagtail.admin.forms import WagtailAdminPageForm
from wagtail.admin.panels import HelpPanel, ObjectList, Panel
from wagtail.coreutils import get_content_languages
from wagtail.models import Page

from cms.pages.rules import editors
from cms.pages.translations import LeftAlone, source_of
from marketplace.accounts.models import User


class FactField(LeftAlone):
    """A fact: `facts.spread` copies what is public now; the snapshot that wagtail-localize took may be months old."""


class FactsForm(WagtailAdminPageForm):
    """The form of a page without its facts, if another version keeps them: then no form that stood open can bring old ones back.

    Whoever keeps an aid true is one of the editors: the people of the companies are not listed to anybody.
    """

    fact_names: tuple[str, ...] = ()

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if source_of(self.instance) != self.instance:
            for name in self.fact_names:
                self.fields.pop(name, None)
                self.formsets.pop(name, None)
        if "officer" in self.fields:
            # Who has left stays until somebody else is chosen.
            self.fields["officer"].queryset = editors() | User.objects.filter(pk=self.instance.officer_id)


class FactsTab(ObjectList):
    """A tab of facts; in a translation it says where they are kept."""

    class BoundPanel(ObjectList.BoundPanel):
        """The tab of one page."""

        @cached_property
        def children(self) -> list[Panel.BoundPanel]:
            """The panels of the facts, or one sentence."""
            source = source_of(self.instance)
            if self.form is None or source == self.instance:
                return super().children
            panel = HelpPanel(content=self._where(source)).bind_to_model(type(self.instance))
            return [panel.get_bound_panel(instance=self.instance, request=self.request, form=self.form, prefix=f"{self.prefix}-where")]

        @cached_property
        def visible_children_with_identifiers(self) -> list[tuple[Any, str]]:
            """As Wagtail's, for what is there."""
            return [(child, identifier) for child, identifier in zip(self.children, self.panel.child_identifiers, strict=False) if child.is_shown()]

        def _where(self, source: Page) -> SafeString:
            language = get_content_languages().get(source.locale.language_code, source.locale.language_code)
            text = gettext(
                "Facts are the same in every language. They are kept in one place, the version in %(language)s, and copied here when it is published."
            )
            return format_html('<p>{} <a href="{}">{}</a></p>', text % {"language": language}, _edit_url(source), gettext("Edit the facts there"))


def _edit_url(page: Page) -> str:
    from wagtail.admin.admin_url_finder import AdminURLFinder  # noqa: PLC0415 - it asks for the models, which import this module

    return AdminURLFinder().get_edit_url(page) or ""
