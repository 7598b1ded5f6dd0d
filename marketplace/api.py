"""Every address of the public API: composition only."""

from django.urls import path, re_path

from cms.aid import api as aid
from cms.pages import api as pages
from marketplace.companies import api as companies
from marketplace.listings import api as listings
from marketplace.listings import own_api as own_listings
from marketplace.rest import docs, views
from marketplace.synergies import api as synergies

app_name = "api"

urlpatterns = [
    path("v1/listings/", listings.Listings.as_view(), name="listings"),
    path("v1/listings/own/", own_listings.OwnListings.as_view(), name="own_listings"),
    path("v1/listings/batch/", own_listings.Batch.as_view(), name="batch"),
    path("v1/listings/<uuid:uid>/", listings.OneListing.as_view(), name="listing"),
    path("v1/listings/<uuid:uid>/submit/", own_listings.SubmitStep.as_view(), name="submit"),
    path("v1/listings/<uuid:uid>/renew/", own_listings.RenewStep.as_view(), name="renew"),
    path("v1/listings/<uuid:uid>/reopen/", own_listings.ReopenStep.as_view(), name="reopen"),
    path("v1/listings/<uuid:uid>/close/", own_listings.CloseStep.as_view(), name="close"),
    path("v1/listings/<uuid:uid>/withdraw/", own_listings.WithdrawStep.as_view(), name="withdraw"),
    path("v1/companies/", companies.Companies.as_view(), name="companies"),
    path("v1/companies/<uuid:uid>/", companies.OneCompany.as_view(), name="company"),
    path("v1/sectors/", companies.Sectors.as_view(), name="sectors"),
    path("v1/places/", companies.Places.as_view(), name="places"),
    path("v1/suggestions/", synergies.Suggestions.as_view(), name="suggestions"),
    path("v1/suggestions/<uuid:uid>/", synergies.OneSuggestion.as_view(), name="suggestion"),
    path("v1/interests/", synergies.Interests.as_view(), name="interests"),
    path("v1/interests/<uuid:uid>/", synergies.OneInterest.as_view(), name="interest"),
    path("v1/interests/<uuid:uid>/dismiss/", synergies.Dismiss.as_view(), name="dismiss"),
    path("v1/interests/<uuid:uid>/undo/", synergies.Undo.as_view(), name="undo"),
    path("v1/aid/", aid.Aid.as_view(), name="aid_list"),
    path("v1/aid/<uuid:uid>/", aid.OneAid.as_view(), name="aid"),
    path("v1/indicators/", pages.Indicators.as_view(), name="indicators"),
    path("v1/schema/", docs.schema, name="schema"),
    path("v1/schema.yaml", docs.schema_in_yaml, name="schema_yaml"),
    path("docs/", docs.page, name="docs"),
    path("problems/", docs.problems, name="problems"),
    path("problems/<slug:code>", docs.problems, name="problem"),
    re_path("", views.not_found),
]
