"""Every address of the site: composition only."""

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.contrib.sitemaps import views as sitemap_views
from django.urls import include, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.generic import RedirectView
from django.views.static import serve
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

from cms.console.edit import CarefulEditView
from cms.pages import sitemaps
from marketplace.core import views as core_views
from marketplace.health import views as health
from marketplace.listings import own

#: Folders of pictures, and how long browsers keep these. The sizes of a picture have its sum in their names.
PICTURES = {"logos": {"max_age": 3600}, "images": {"max_age": 31_536_000, "immutable": True}, "original_images": {"max_age": 3600}}

# One door: the admins' own log-in forms count no failures and ask for no second factor.
admin.site.login = secure_admin_login(admin.site.login)

urlpatterns = [
    path("health/", health.health, name="health"),
    path("health/details/", health.details, name="health_details"),
    path("metrics", health.prometheus, name="metrics"),
    path("robots.txt", sitemaps.robots),
    path("sitemap.xml", sitemap_views.index, {"sitemaps": sitemaps.SITEMAPS, "sitemap_url_name": "sitemap_section"}, name="sitemap"),
    path("sitemap-<section>.xml", sitemap_views.sitemap, {"sitemaps": sitemaps.SITEMAPS}, name="sitemap_section"),
    # Before the API, which answers for every other address below /api/.
    path("", include("marketplace.federation.urls")),
    path("api/", include("marketplace.api")),
    path("console/login/", RedirectView.as_view(pattern_name="account_login", query_string=True)),
    # In place of Wagtail's own, which lets the second of two editors overwrite the first.
    path("console/pages/<int:page_id>/edit/", CarefulEditView.as_view()),
    path("console/", include(wagtailadmin_urls)),
    path("django-admin/", admin.site.urls),
    path("documents/", include(wagtaildocs_urls)),
    # Logos and pictures, checked and re-encoded at upload; a proxy may serve them instead. Documents have their own view above, which
    # knows who may read them and lets no browser run them.
    *(
        path(f"media/{folder}/<path:path>", cache_control(public=True, **kept)(serve), {"document_root": settings.MEDIA_ROOT / folder})
        for folder, kept in PICTURES.items()
    ),
]
if settings.DEBUG:
    urlpatterns.append(path("gallery/", core_views.gallery, name="gallery"))

urlpatterns += i18n_patterns(
    path(_("account/"), include("allauth.urls")),
    path(_("listings/"), include("marketplace.listings.urls")),
    path(_("companies/"), include("marketplace.companies.urls")),
    path(_("saved-searches/"), include("marketplace.alerts.urls")),
    path(_("open-data/"), include("marketplace.federation.open_data.urls")),
    path(_("comments/"), include("cms.comments.urls")),
    path(_("aid-and-companies/"), include("cms.aid.urls")),
    path(_("synergies/"), include("marketplace.synergies.urls")),
    path(_("synergies/"), include("marketplace.federation.interests.urls")),
    path(_("can-i-have-it/"), include("cms.aid.eligibility.urls")),
    path(_("my-space/"), own.my_space, name="my_space"),
    path(_("my-account/"), include("marketplace.accounts.urls")),
    path("", include(wagtail_urls)),
    prefix_default_language=False,
)
