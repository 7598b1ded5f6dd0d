"""Forms that editors compose."""

import datetime
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel, MultiFieldPanel
from wagtail.contrib.forms.models import AbstractFormField, AbstractFormSubmission, FormMixin
from wagtail.contrib.forms.panels import FormSubmissionsPanel
from wagtail.models import Page

from cms.pages.blocks import BodyBlock
from cms.pages.fields import BodyField
from cms.pages.forms import HONEYPOT, FormBuilder
from cms.pages.translations import LeftAlone
from marketplace.core import attempts, mail

from .base import TranslatedPage

#: So often an address may send forms in so long: an office shares one. Each is a row here and a mail to somebody's desk.
ADDRESS = (20, datetime.timedelta(minutes=10))
TOO_MANY = 429


class FormField(AbstractFormField):
    """One question of a form."""

    page = ParentalKey("FormPage", on_delete=models.CASCADE, related_name="form_fields")

    class Meta(AbstractFormField.Meta):
        verbose_name, verbose_name_plural = _("field"), _("fields")


class FormPage(FormMixin, TranslatedPage):
    """A form for everybody. What is sent is kept for `keep_days` and then deleted."""

    may_be_cached = False
    form_builder = FormBuilder

    lead = models.CharField(_("opening sentence"), max_length=300, blank=True)
    body = BodyField(BodyBlock, verbose_name=_("text above the form"), blank=True)
    button = models.CharField(_("words on the button"), max_length=40, blank=True)
    thanks = models.TextField(_("what is said afterwards"), max_length=600, help_text=_("What happens next, and when."))
    privacy = models.TextField(
        _("what happens with the data"), max_length=600, help_text=_("Who reads it and what for. For how long it is kept stands there by itself.")
    )
    keep_days = models.PositiveSmallIntegerField(
        _("days until what was sent is deleted"), default=180, validators=[MinValueValidator(1), MaxValueValidator(1825)]
    )
    mail_to = models.EmailField(
        _("tell this address when something comes"),
        blank=True,
        help_text=_("The mail says that there is something new; what was written stays in the console."),
    )

    content_panels = [
        *Page.content_panels,
        FormSubmissionsPanel(),
        FieldPanel("lead"),
        FieldPanel("body"),
        InlinePanel("form_fields", label=_("field"), min_num=1),
        MultiFieldPanel([FieldPanel("button"), FieldPanel("thanks")], heading=_("Sending")),
        MultiFieldPanel([FieldPanel("privacy"), FieldRowPanel([FieldPanel("keep_days"), FieldPanel("mail_to")])], heading=_("Data")),
    ]
    override_translatable_fields = [LeftAlone("form_fields")]
    parent_page_types = ["pages.HomePage", "pages.StandardPage"]
    subpage_types: list[str] = []
    template = "pages/form.html"
    landing_page_template = "pages/form_sent.html"

    class Meta:
        verbose_name, verbose_name_plural = _("form"), _("forms")

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, Any]:
        """With the name of the field that is a `trap`."""
        return super().get_context(request, *args, **kwargs) | {"trap": HONEYPOT}

    def serve(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Never from a cache: the page holds a token of its visitor."""
        try:
            if request.method == "POST":
                attempts.count("forms", request, *ADDRESS)
            response = super().serve(request, *args, **kwargs)
        except attempts.TooManyError as error:
            response = self._refuse(request, error)
        add_never_cache_headers(response)
        return response

    def _refuse(self, request: HttpRequest, error: attempts.TooManyError) -> HttpResponse:
        """The form with what was typed, and when to send it again."""
        form = self.get_form(request.POST, request.FILES, page=self, user=request.user)
        if form.is_valid():
            form.add_error(None, error)
        context = self.get_context(request) | {"form": form}
        return TemplateResponse(request, self.get_template(request), context, status=TOO_MANY, headers={"Retry-After": str(error.retry_after)})

    def get_submissions_list_view_class(self) -> type:
        """With tables that a spreadsheet program opens without harm."""
        from cms.pages.submissions_view import SubmissionsView  # noqa: PLC0415 - Wagtail's views know the forms' models

        return SubmissionsView

    def process_form_submission(self, form: Form) -> AbstractFormSubmission | None:
        """Keep it, unless a robot filled in what people do not see; the robot is told the same as they."""
        if form.cleaned_data.pop(HONEYPOT, ""):
            return None
        with transaction.atomic():
            sent = super().process_form_submission(form)
            if self.mail_to:
                self._tell(sent)
        return sent

    def _tell(self, sent: AbstractFormSubmission) -> None:
        context = {"title": self.title, "address": reverse("wagtailforms:list_submissions", args=[self.pk])}
        mail.queue("pages/mail/form_came", self.mail_to, context, key=f"form:{self.pk}:{sent.pk}", language=self.locale.language_code)
