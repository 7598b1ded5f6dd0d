"""Questions that many ask."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.http import HttpRequest
from django.utils.html import strip_tags
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.admin.panels import FieldPanel
from wagtail.blocks.stream_block import StreamValue
from wagtail.models import Page

from cms.pages import anchors, structured
from cms.pages.blocks import QuestionBlock, name_anchors
from cms.pages.fields import BodyField
from cms.pages.words import folded

from .base import TranslatedPage

LONGEST_QUERY = 100


class GroupBlock(blocks.StructBlock):
    """The questions on one subject."""

    title = blocks.CharBlock(label=_("Subject"), max_length=120)
    anchor = blocks.CharBlock(label=_("Name for links"), required=False, max_length=anchors.LONGEST)
    questions = blocks.ListBlock(QuestionBlock(), label=_("Questions"), min_num=1)

    class Meta:
        icon = "folder-open-inverse"
        label = _("Group of questions")


class GroupsBlock(blocks.StreamBlock):
    """All groups."""

    group = GroupBlock()

    def clean(self, value: StreamValue, *args: object, **kwargs: object) -> StreamValue:
        """Every group can be linked to."""
        cleaned = super().clean(value, *args, **kwargs)
        name_anchors(cleaned, "group", "title")
        return cleaned


class FaqPage(TranslatedPage):
    """Questions by subject, and a field that finds among them without a script."""

    lead = models.CharField(_("opening sentence"), max_length=300, blank=True)
    groups = BodyField(GroupsBlock, verbose_name=_("questions"))

    content_panels = [*Page.content_panels, FieldPanel("lead"), FieldPanel("groups")]
    parent_page_types = ["pages.HomePage", "pages.StandardPage"]
    subpage_types: list[str] = []
    template = "pages/faq.html"
    query_names = ("q",)

    class Meta:
        verbose_name, verbose_name_plural = _("questions and answers"), _("questions and answers")

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, Any]:
        """With the `found` groups, how many questions they hold and what was asked (`query`)."""
        query = " ".join(request.GET.get("q", "")[:LONGEST_QUERY].split())
        found = self.find(query)
        return super().get_context(request, *args, **kwargs) | {"query": query, "found": found, "count": sum(len(group["questions"]) for group in found)}

    def find(self, query: str) -> list[dict[str, Any]]:
        """The groups with the questions that hold every word of `query`, whatever its accents; all of them for none."""
        words = folded(query).split()
        groups = []
        names = anchors.filled([block.value["anchor"] for block in self.groups], [block.value["title"] for block in self.groups])
        for name, block in zip(names, self.groups, strict=True):
            questions = [one for one in block.value["questions"] if _holds(one, words)]
            if questions:
                groups.append({"title": block.value["title"], "anchor": name, "questions": questions})
        return groups

    def about(self, request: HttpRequest) -> list[dict[str, Any]]:
        """A page of questions, whatever of them is shown."""
        pairs = [(one["question"], str(one["answer"].source)) for block in self.groups for one in block.value["questions"]]
        return [structured.questions(pairs) | {"inLanguage": self.locale.language_code}]


def _holds(question: Mapping[str, Any], words: list[str]) -> bool:
    text = folded(f"{question['question']} {strip_tags(question['answer'].source)}")
    return all(word in text for word in words)
