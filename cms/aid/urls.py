"""Addresses of what aid and companies have to do with each other; the finder's own are below its page (see routes)."""

from django.urls import path
from django.utils.translation import gettext_lazy as _

from . import alert_views, match_views

app_name = "aid"
urlpatterns = [
    path(_("for-demand/<uuid:uid>/"), match_views.aid_for_demand, name="for_demand"),
    path(_("<int:number>/offers/"), match_views.offers_for_aid, name="offers"),
    path(_("alerts/"), alert_views.own, name="alerts"),
    path(_("alerts/new/"), alert_views.create, name="create_alert"),
    path(_("<int:number>/follow/"), alert_views.follow, name="follow"),
    path(_("alerts/<uuid:uid>/pause/"), alert_views.pause, name="pause_alert"),
    path(_("alerts/<uuid:uid>/resume/"), alert_views.resume, name="resume_alert"),
    path(_("alerts/<uuid:uid>/delete/"), alert_views.delete, name="delete_alert"),
]
