"""Which translations are older than what they translate, and what is not translated yet."""

from collections import defaultdict
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.urls import reverse, reverse_lazy
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.views.generic import WagtailAdminTemplateMixin
from wagtail.models import Locale, Page

from cms.pages import translations

from .access import EditorRequiredMixin

PER_PAGE = 50


@dataclass(frozen=True)
class Missing:
    """A public page and the languages it is not in."""

    page: Page
    languages: list[str]


class TranslationsView(EditorRequiredMixin, WagtailAdminTemplateMixin, TemplateView):
    """Both lists, one at a time."""

    template_name = "console/translations.html"
    page_title = gettext_lazy("Translations")
    header_icon = "wagtail-localize-language"

    def get_breadcrumbs_items(self) -> list:
        """Home, this."""
        return [{"url": reverse_lazy("wagtailadmin_home"), "label": _("Home")}, {"url": "", "label": self.page_title}]

    @cached_property
    def versions(self) -> dict[str, list[Page]]:
        """The versions of each page, the one written first in front."""
        found = defaultdict(list)
        for page in Page.objects.filter(depth__gt=1, alias_of=None).select_related("locale").order_by("pk"):
            found[page.translation_key].append(page)
        return found

    def outdated(self) -> list[tuple[translations.Outdated, str]]:
        """Each with the address of the comparison between what it knew and what its source says now; the newest change first."""
        pairs = [(page, first) for first, *others in self.versions.values() for page in others]
        found = sorted(translations.outdated(pairs), key=lambda one: one.source.last_published_at, reverse=True)
        return [(one, reverse("wagtailadmin_pages:revisions_compare", args=[one.source.pk, one.known, one.newest]) if one.known else "") for one in found]

    def missing(self) -> list[Missing]:
        """In the order of the site."""
        languages = {locale.pk: locale.get_display_name() for locale in Locale.objects.all()}
        found = [
            Missing(first, [name for pk, name in languages.items() if pk not in {page.locale_id for page in (first, *others)}])
            for first, *others in self.versions.values()
            if first.live
        ]
        return sorted((one for one in found if one.languages), key=lambda one: one.page.path)

    def get_context_data(self, **context: object) -> dict:
        """The asked list, page by page, and how long both are."""
        outdated, missing = self.outdated(), self.missing()
        is_missing = self.request.GET.get("show") == "missing"
        return super().get_context_data(**context) | {
            "is_missing": is_missing,
            "outdated_count": len(outdated),
            "missing_count": len(missing),
            "rows": Paginator(missing if is_missing else outdated, PER_PAGE).get_page(self.request.GET.get("p")),
        }
