"""Mails about reviews, each in its reader's language. Wagtail writes them in the language of whoever pressed the button."""

from django.utils import translation
from wagtail.admin import mail
from wagtail.models import TaskState, WorkflowState
from wagtail.signals import task_submitted, workflow_approved, workflow_rejected, workflow_submitted


class OwnLanguage:
    """Writes to one after the other, each in the language of their account, unless they chose another one in the console."""

    def send_emails(self, template_set: dict, context: dict, recipients: set, **kwargs: object) -> bool:
        """Put the mails into the outbox (see settings.EMAIL_BACKEND); they are written in the transaction of the step they tell."""
        for recipient in sorted(recipients, key=lambda user: user.pk):
            with translation.override(recipient.language):
                super().send_emails(template_set, context, {recipient}, **kwargs)
        return True


class TaskSubmitted(OwnLanguage, mail.GroupApprovalTaskStateSubmissionEmailNotifier):
    """To the officers: a page waits for you."""


class Submitted(OwnLanguage, mail.WorkflowStateSubmissionEmailNotifier):
    """To who runs the site, if the settings say so."""


class Approved(OwnLanguage, mail.WorkflowStateApprovalEmailNotifier):
    """To the editor: it is public."""


class Rejected(OwnLanguage, mail.WorkflowStateRejectionEmailNotifier):
    """To the editor: it needs changes."""


#: Wagtail's name of each of its own receivers, which ours replace.
REPLACED = (
    (task_submitted, TaskState, TaskSubmitted(), "group_approval_task_submitted_email_notification"),
    (workflow_submitted, WorkflowState, Submitted(), "workflow_state_submitted_email_notification"),
    (workflow_rejected, WorkflowState, Rejected(), "workflow_state_rejected_email_notification"),
    (workflow_approved, WorkflowState, Approved(), "workflow_state_approved_email_notification"),
)


def replace_wagtails() -> None:
    """Called once, when all apps are ready."""
    for signal, sender, ours, name in REPLACED:
        signal.disconnect(sender=sender, dispatch_uid=name)
        signal.connect(ours, sender=sender, dispatch_uid=name)
