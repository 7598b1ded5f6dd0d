import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from marketplace.accounts.rules import CURATORS
from tests.factories import UserFactory

LISTS = ("console_waiting", "console_listings", "console_companies", "console_imports", "console_groups", "console_rings")


def test_curators_group_has_its_three_permissions_and_no_other(db):
    group = Group.objects.get(name=CURATORS)
    names = {f"{permission.content_type.app_label}.{permission.codename}" for permission in group.permissions.all()}
    assert names == {"wagtailadmin.access_admin", "listings.curate_listing", "federation.manage_partners"}


@pytest.mark.parametrize("name", LISTS)
def test_list_opens_for_a_curator(console, name):
    assert console.get(reverse(name)).status_code == 200


@pytest.mark.parametrize("name", LISTS)
def test_list_sends_a_visitor_to_the_log_in_page_of_the_site(client, db, name):
    answer = client.get(reverse(name))
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("account_login"))


@pytest.mark.parametrize("name", LISTS)
def test_list_is_closed_to_editors_who_are_no_curators(client, db, name):
    editor = UserFactory()
    editor.groups.add(Group.objects.get(name="Editors"))
    client.force_login(editor)
    answer = client.get(reverse(name))
    assert (answer.status_code, answer.url) == (302, reverse("wagtailadmin_home"))


def test_company_person_may_not_open_the_console(client, db):
    client.force_login(UserFactory())
    assert client.get(reverse("console_waiting")).status_code == 302


@pytest.mark.parametrize("name", ["wagtailusers_users:index", "wagtailusers_groups:index", "wagtailsites:index", "wagtailadmin_explore_root"])
def test_curator_may_do_nothing_else_in_the_admin(console, name):
    answer = console.get(reverse(name))
    assert answer.status_code in (302, 403)


def test_curator_may_not_open_the_django_admin(console):
    assert console.get("/django-admin/").status_code == 302


def test_home_shows_the_figures_to_curators(console, waiting):
    listing, _ = waiting(2)
    page = console.get(reverse("wagtailadmin_home")).content.decode()
    assert reverse("console_waiting") in page
    assert reverse("console_review", args=[listing.uid]) in page


def test_home_shows_no_figures_to_others(client, db):
    editor = UserFactory()
    editor.groups.add(Group.objects.get(name="Editors"))
    client.force_login(editor)
    assert "console-figures" not in client.get(reverse("wagtailadmin_home")).content.decode()
