"""What every page kind has in common."""

import datetime
from collections.abc import Iterable
from typing import Any

from csp.constants import SELF
from csp.decorators import csp_replace
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.html import strip_tags
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.images import get_image_model_string
from wagtail.images.models import AbstractImage, AbstractRendition
from wagtail.models import Page, PageViewRestriction
from wagtail.url_routing import RouteResult

from cms.pages import menus, pictures, structured

#: As much as search engines show of a description.
DESCRIPTION_LENGTH = 155
#: A language's home page stands right below the root.
HOME_DEPTH = 2
#: No page is further down; what is longer names something below a page.
DEEPEST = 12


class TranslatedPage(Page):
    """A page whose other languages are its Wagtail translations: the language switcher leads to them.

    What a kind may tell about itself, each with a default here: `intro` (its opening sentence), `share_image`, `og_type`,
    `about(request)` (its part of the structured data), `fresh_until(now)` (see there).
    """

    #: False for pages that a shared cache must not keep (forms, with their token).
    may_be_cached = True
    #: What is fetched together with the page (select_related), and right after it (prefetch_related).
    joined: tuple[str, ...] = ("locale",)
    fetched: tuple[str, ...] = ()
    #: What the page shows, and the parameters it reads (see cms/pages/cache).
    shown_kinds: tuple[str, ...] = ("page",)
    query_names: tuple[str, ...] = ()
    og_type = "website"
    share_image = None

    class Meta:
        abstract = True

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, Any]:
        """With `translations`, {language code: address}, as base.html wants them, and `trail`, [(label, address)] from the home page down.

        Besides: `above`, the live pages on that way; `versions`, the live pages in all languages, the one written first in front; the menus' `section_pages`
        and `footer_pages`.
        """
        context = super().get_context(request, *args, **kwargs)
        above = [self.path[: self.steplen * depth] for depth in range(HOME_DEPTH, self.depth)]
        # All in one query, since every page of the site asks this: its translations, the pages above it, the menus.
        concerned = models.Q(translation_key=self.translation_key) | models.Q(path__in=above) | menus.wanted()
        family = list(Page.objects.live().filter(concerned).select_related("locale", "content_type").order_by("path"))
        context["versions"] = sorted((page for page in family if page.translation_key == self.translation_key), key=lambda page: page.pk)
        context["translations"] = {page.locale.language_code: page.get_url(request) for page in context["versions"]}
        context["above"] = [page for page in family if page.path in above]
        context["trail"] = [(page.title, page.get_url(request)) for page in context["above"]]
        context["section_pages"], context["footer_pages"] = menus.links(family)
        # So that nobody asks for it again; a page that is not live yet, in the preview, is not among them.
        for page in family:
            if page.locale_id == self.locale_id:
                self.locale = page.locale
        return context

    @method_decorator(csp_replace({"frame-ancestors": [SELF]}))
    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        """The page as the public will see it, but in the console's frame, which the public policy forbids."""
        return super().serve_preview(request, mode_name)

    def route(self, request: HttpRequest, path_components: list[str]) -> RouteResult:
        """As Wagtail's, but with two queries for an address of any depth, where that asks two for each of its parts.

        The deepest page there is answers for what remains of the address. What a kind shows of other tables comes along (`joined`).
        """
        if not path_components:
            return super().route(request, path_components)
        names = path_components[:DEEPEST]
        rests = {"/".join([*self.url_path.strip("/").split("/"), *names[:end]]): path_components[end:] for end in range(1, len(names) + 1)}
        below = Page.objects.filter(slug__in=names, path__startswith=self.path, depth__gt=self.depth).order_by("-depth")
        for pk, url_path, kind in below.values_list("pk", "url_path", "content_type_id"):
            if url_path.strip("/") in rests:
                model = ContentType.objects.get_for_id(kind).model_class()
                page = model.objects.select_related(*getattr(model, "joined", ("locale",))).prefetch_related(*getattr(model, "fetched", ())).get(pk=pk)
                return page.route(request, rests[url_path.strip("/")])
        raise Http404

    def get_view_restrictions(self) -> models.QuerySet[PageViewRestriction]:
        """As Wagtail's: those of this page and of all above it, for an alias those of its source. In one query, where that asks for the pages first."""
        here = [self.path[: self.steplen * depth] for depth in range(1, self.depth + 1)]
        own = models.Q(page__path__in=here, page__alias_of=None)
        # The source of an alias can be an alias again.
        of_source = models.Q(page__alias_of=None) & (models.Q(page__aliases__path__in=here) | models.Q(page__aliases__aliases__path__in=here))
        return PageViewRestriction.objects.filter(own | of_source).distinct()

    @property
    def intro(self) -> str:
        """The sentence under the title, in lists and feeds; kinds name their field `lead` or `summary`."""
        return getattr(self, "lead", "") or getattr(self, "summary", "")

    @property
    def description(self) -> str:
        """One sentence for search engines and previews: what the editor wrote for them, or how the page begins."""
        return self.search_description or Truncator(self.intro or self._first_words()).chars(DESCRIPTION_LENGTH)

    @cached_property
    def share_rendition(self) -> AbstractRendition | None:
        """The picture for previews, in their size; None if there is none, or its file is gone."""
        found = pictures.shown(self.share_image, "share") if self.share_image else None
        return found.image if found else None

    def _first_words(self) -> str:
        body = getattr(self, "body", None) or ()
        first = next((block.value for block in body if block.block_type == "text"), "")
        return " ".join(strip_tags(str(getattr(first, "source", first)).replace("<", " <")).split())

    def about(self, request: HttpRequest) -> list[dict[str, Any]]:
        """What search engines shall know of the page itself, as schema.org data (see structured.py)."""
        return []

    def structured_data(self, request: HttpRequest, trail: list[tuple[str, str]]) -> list[dict[str, Any]]:
        """All of it, with the way here."""
        way = [structured.breadcrumbs(trail, self.title, self.get_url(request))] if trail else []
        return [*self.about(request), *way]

    def fresh_until(self, now: datetime.datetime) -> datetime.datetime | None:
        """When the page changes by itself (an office closes, an event is over): a cache keeps it no longer. None: only when somebody changes it."""
        return None


class IllustratedPage(TranslatedPage):
    """With a picture at its top and in lists."""

    lead_image = models.ForeignKey(get_image_model_string(), on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("picture"))
    lead_image_alt = models.CharField(
        _("what the picture shows"), max_length=200, blank=True, help_text=_("For people who do not see it. Empty only if it shows nothing that matters.")
    )

    joined = ("locale", "lead_image")
    fetched = ("lead_image__renditions",)
    picture_panel = MultiFieldPanel([FieldPanel("lead_image"), FieldPanel("lead_image_alt")], heading=_("Picture"))

    class Meta:
        abstract = True

    @cached_property
    def share_image(self) -> AbstractImage | None:
        """The picture for previews."""
        return self.lead_image


class PageWithFiles(TranslatedPage):
    """A page with files below its address, such as a feed: `files` names the method that answers for each."""

    files: dict[str, str] = {}

    class Meta:
        abstract = True

    def route(self, request: HttpRequest, path_components: list[str]) -> RouteResult:
        """A file is part of its page."""
        match path_components:
            case [name] if self.live and name in self.files:
                return RouteResult(self, kwargs={"file": name})
        return super().route(request, path_components)

    def serve(self, request: HttpRequest, *args: object, file: str = "", **kwargs: object) -> HttpResponse:
        """The page, or a file of it."""
        if file:
            return getattr(self, self.files[file])()
        return super().serve(request, *args, **kwargs)


def for_everybody(pages: models.QuerySet) -> models.QuerySet:
    """The pages of a list that everybody may see: live, and neither they nor a page above them kept for some. As `public()`, which asks one query more."""
    here = models.ExpressionWrapper(models.OuterRef("path"), models.CharField())
    private = PageViewRestriction.objects.annotate(here=here).filter(here__startswith=models.F("page__path"))
    return pages.live().exclude(models.Exists(private))


def in_language_of(parent: Page, pages: Iterable[Page]) -> list[Any]:
    """`pages` below `parent`, of which nobody needs to ask the language again for each address."""
    found = list(pages)
    for page in found:
        page.locale = parent.locale
    return found
