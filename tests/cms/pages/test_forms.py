import csv
import datetime
import io

import openpyxl
import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.contrib.forms.models import FormSubmission

from cms.pages import submissions
from cms.pages.forms import HONEYPOT
from cms.pages.models import forms
from marketplace.accounts import privacy
from marketplace.core.models import Mail
from tests.cms.pages.factories import make_form
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
SENT = {"nom": "Laia", "correu": "laia@firm.example", "pregunta": "Puc demanar l'ajut?"}


@pytest.fixture
def form():
    return make_form(slug="escriu", title="Escriu-nos", mail_to="desk@city.example", thanks="Et responem aviat.")


def test_form_is_sent_kept_and_thanked_for(client, form):
    response = client.post(form.get_url(), SENT)
    assert response.status_code == 200
    assert "Et responem aviat." in response.content.decode()
    assert FormSubmission.objects.get().form_data == SENT


def test_form_never_comes_from_a_cache(form):
    """A kept page would give one visitor's token to all others, whose form would then be refused."""
    tokens = set()
    for _visitor in range(2):
        visitor = Client(enforce_csrf_checks=True)
        page = visitor.get(form.get_url())
        assert "no-store" in page["Cache-Control"]
        token = visitor.cookies["csrftoken"].value
        tokens.add(token)
        assert visitor.post(form.get_url(), SENT | {"csrfmiddlewaretoken": token}).status_code == 200
    assert len(tokens) == 2
    assert Client(enforce_csrf_checks=True).post(form.get_url(), SENT).status_code == 403


def test_what_was_typed_stays_when_something_is_missing(client, form):
    html = client.post(form.get_url(), SENT | {"correu": "no és cap adreça"}).content.decode()
    assert 'value="Laia"' in html
    assert "Puc demanar l&#x27;ajut?" in html
    assert 'aria-invalid="true"' in html
    assert FormSubmission.objects.count() == 0


def test_robot_that_fills_in_everything_is_thanked_and_forgotten(client, form):
    response = client.post(form.get_url(), SENT | {HONEYPOT: "https://spam.example"})
    assert "Et responem aviat." in response.content.decode()
    assert FormSubmission.objects.count() == 0
    assert Mail.objects.count() == 0


def test_office_is_told_that_something_came_and_not_what(client, form):
    client.post(form.get_url(), SENT)
    mail = Mail.objects.get()
    assert mail.to == "desk@city.example"
    assert "Escriu-nos" in mail.subject
    assert reverse("wagtailforms:list_submissions", args=[form.pk]) in mail.text
    assert "Laia" not in mail.text + mail.subject


def test_visitor_is_told_what_happens_with_the_data(client, form):
    html = client.get(form.get_url()).content.decode()
    assert form.privacy.replace("'", "&#x27;") in html
    assert "180" in html


def test_submissions_go_after_their_term(client, form):
    client.post(form.get_url(), SENT)
    client.post(form.get_url(), SENT)
    old, new = FormSubmission.objects.order_by("pk")
    now = timezone.now()
    FormSubmission.objects.filter(pk=old.pk).update(submit_time=now - datetime.timedelta(days=181))
    FormSubmission.objects.filter(pk=new.pk).update(submit_time=now - datetime.timedelta(days=179))
    assert submissions.prune(now=now) == 1
    assert list(FormSubmission.objects.all()) == [new]


def test_person_gets_a_copy_of_what_they_sent_and_can_have_it_deleted(client, form):
    user = UserFactory(email="laia@firm.example")
    EmailAddress.objects.create(user=user, email="laia@firm.example", verified=True)
    # An address that nobody confirmed may be somebody else's.
    EmailAddress.objects.create(user=user, email="other@firm.example", verified=False)
    client.post(form.get_url(), SENT | {"correu": "Laia@firm.example"})
    client.post(form.get_url(), SENT | {"correu": "other@firm.example"})
    sent = privacy.export(user)["forms"]["sent"]
    assert [one["fields"]["correu"] for one in sent] == ["Laia@firm.example"]
    assert sent[0]["form"] == "Escriu-nos"
    privacy.erase(user)
    assert [one.form_data["correu"] for one in FormSubmission.objects.all()] == ["other@firm.example"]


def table(client, form, kind):
    answer = client.get(reverse("wagtailforms:list_submissions", args=[form.pk]), {"export": kind})
    assert answer.status_code == 200
    return b"".join(answer)


def test_table_of_what_was_sent_holds_no_formula_and_can_be_written(client, admin_client, form):
    client.post(form.get_url(), SENT | {"nom": '=HYPERLINK("https://evil.example";"Obre")', "pregunta": "Una línia\x0bi una altra"})
    row = next(csv.DictReader(io.StringIO(table(admin_client, form, "csv").decode())))
    assert row["Nom"] == """'=HYPERLINK("https://evil.example";"Obre")"""
    sheet = openpyxl.load_workbook(io.BytesIO(table(admin_client, form, "xlsx"))).active
    cells = {cell.value: cell.data_type for cell in sheet[2]}
    assert cells['=HYPERLINK("https://evil.example";"Obre")'] == "s"
    assert "Una líniai una altra" in cells


def test_flood_of_forms_from_one_address_is_stopped_and_the_text_stays(client, form, monkeypatch):
    monkeypatch.setattr(forms, "ADDRESS", (2, forms.ADDRESS[1]))
    cache.clear()
    with time_machine.travel("2026-11-22T10:00:05Z", tick=False):
        answers = [client.post(form.get_url(), SENT) for _ in range(3)]
        assert client.get(form.get_url()).status_code == 200
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2]["Retry-After"]) > 0
    assert "no-store" in answers[2]["Cache-Control"]
    assert 'value="Laia"' in answers[2].content.decode()
    assert FormSubmission.objects.count() == Mail.objects.count() == 2
