"""Addresses of what aid and companies have to do with each other; the finder's own are below its page (see routes)."""

from django.urls import path
from django.utils.translation import gettext_lazy as _

from . import match_views

app_name = "aid"
urlpatterns = [
    path(_("for-demand/<uuid:uid>/"), match_views.aid_for_demand, name="for_demand"),
    path(_("<int:number>/offers/"), match_views.offers_for_aid, name="offers"),
]
