import smtplib
import socket
import threading

import pytest
from django.core import mail
from django.db import connection

from marketplace.companies.models import Place, Sector
from tests.network import NetworkClosedError


def send(subject: str = "Subject", text: str = "Text") -> None:
    """Past the outbox, at once."""
    server = mail.get_connection("django.core.mail.backends.smtp.EmailBackend")
    mail.send_mail(subject, text, "marketplace@terrassa.example", ["owner@firm.example"], connection=server)


def test_smtp_server_receives_what_django_sends(smtp):
    send("Nova coincidència", "Una empresa de Terrassa…")

    [message] = smtp.messages
    assert (message["Subject"], message["X-Envelope-To"]) == ("Nova coincidència", "owner@firm.example")
    assert message.get_content().strip() == "Una empresa de Terrassa…"


def test_smtp_server_refuses_on_demand(smtp):
    smtp.refuse()
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send()
    smtp.refuse("")
    send()

    assert len(smtp.messages) == 1


def test_smtp_server_stops_and_starts_again(smtp):
    smtp.stop()
    with pytest.raises(ConnectionRefusedError):
        send()
    smtp.start()
    send()

    assert len(smtp.messages) == 1


@pytest.mark.parametrize("address", ["192.0.2.1", "example.org"])
def test_network_is_closed(address):
    with pytest.raises(NetworkClosedError, match=address):
        socket.create_connection((address, 80), timeout=1)


def test_network_is_open_on_this_machine():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), timeout=1) as client:
        assert client.getpeername() == server.getsockname()


def _reference_rows() -> tuple[int, int]:
    return Sector.objects.count(), Place.objects.count()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", [1, 2])
def test_committing_tests_leave_the_database_as_migrated(time):
    assert min(_reference_rows()) > 0
    assert not Sector.objects.filter(code="TEST").exists()
    Sector.objects.create(code="TEST", level=1, path="TEST", label_ca="Prova", label_es="Prueba", label_en="Test")


@pytest.mark.django_db(transaction=True)
def test_threads_have_connections_of_their_own():
    seen = []

    def look():
        seen.append(connection.connection)
        connection.ensure_connection()
        seen.append(connection.connection)
        connection.close()

    connection.ensure_connection()
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()

    assert seen[0] is None
    assert seen[1] is not connection.connection


@pytest.mark.django_db
def test_browser_opens_a_page_of_the_live_server(live_server, page):
    answer = page.goto(f"{live_server.url}/static/css/tokens.css")
    assert answer.status == 200


def test_browser_reaches_nothing_else(page):
    from playwright.sync_api import Error  # noqa: PLC0415 - only where chromium is

    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("http://example.org/")


@pytest.mark.postgresql
@pytest.mark.django_db
def test_second_pass_runs_on_postgresql():
    assert connection.vendor == "postgresql"
