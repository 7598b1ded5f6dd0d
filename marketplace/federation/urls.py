"""What partner marketplaces talk to; no language in these addresses."""

from django.urls import path, re_path

from . import feed_views, hook_views
from .interests import api as interests
from .open_data import files
from .open_data import views as open_data

urlpatterns = [
    path(".well-known/marketplace-federation", feed_views.Discovery.as_view(), name="federation_discovery"),
    path("id/listing/<uuid:uid>", feed_views.listing_name, name="listing_name"),
    path("id/company/<uuid:uid>", feed_views.company_name, name="company_name"),
    re_path(rf"^open-data/listings\.(?P<ending>{'|'.join(files.FORMATS)})$", open_data.download, name="open_data_file"),
    path("open-data/catalogue.jsonld", open_data.catalogue, name="open_data_catalogue"),
    path("api/federation/v1/context", feed_views.Context.as_view(), name="federation_context"),
    path("api/federation/v1/changes", feed_views.Changes.as_view(), name="federation_changes"),
    path("api/federation/v1/snapshot", feed_views.Snapshot.as_view(), name="federation_snapshot"),
    path("api/federation/v1/listings/<uuid:uid>", feed_views.OneListing.as_view(), name="federation_listing"),
    path("api/federation/v1/listings/<uuid:uid>/interests", interests.Interests.as_view(), name="federation_interests"),
    path("api/federation/v1/interests/<uuid:uid>", interests.Interest.as_view(), name="federation_interest"),
    path("api/federation/v1/hook", hook_views.HookView.as_view(), name="federation_hook"),
    path("api/federation/v1/webhooks", hook_views.WebhooksView.as_view(), name="federation_webhooks"),
]
