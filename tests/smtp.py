"""A real SMTP server on loopback that keeps what it receives.

A test takes the fixture `smtp` and sends as production does:

    def test_digest_reaches_the_owner(smtp):
        send_digests()
        assert [message["To"] for message in smtp.messages] == ["owner@firm.example"]
"""

import email
import email.policy
import socket
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller


class Mailbox:
    """The server's handler: accepts every mail, or answers `refusal` to every recipient while that is set."""

    def __init__(self):
        self.messages: list[EmailMessage] = []
        self.refusal = ""
        self.drops = ""

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        """Accept or refuse one recipient."""
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        """Keep the mail; the envelope's addresses are in X-Envelope-From and X-Envelope-To."""
        if self.drops == "before":
            server.transport.abort()
            return "421 never sent"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        message["X-Envelope-From"] = envelope.mail_from
        message["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        self.messages.append(message)
        if self.drops == "after":
            server.transport.abort()
        return "250 OK"


class Server:
    """A running SMTP server; `stop()` and `start()` make it unreachable and reachable again on the same port."""

    def __init__(self):
        self._mailbox = Mailbox()
        self.host, self.port = "127.0.0.1", _free_port()
        self._controller = None

    @property
    def messages(self) -> list[EmailMessage]:
        """What has arrived, oldest first."""
        return self._mailbox.messages

    def refuse(self, answer: str = "451 Try again later") -> None:
        """Answer this to every recipient from now on; "" accepts again."""
        self._mailbox.refusal = answer

    def drop(self, when: str) -> None:
        """Cut the connection "before" keeping a mail, or "after" keeping it but before saying so; "" stops cutting."""
        self._mailbox.drops = when

    def start(self) -> None:
        """Listen."""
        self._controller = Controller(self._mailbox, hostname=self.host, port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """Stop listening; a second call does nothing."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None


@pytest.fixture
def smtp(settings):
    """An SMTP server that Django sends its mail to."""
    server = Server()
    server.start()
    settings.MAIL_DELIVERY_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.host, server.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield server
    server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
