"""The pages that the Innovation Service writes itself, a kind a class, each in every language."""

from .base import IllustratedPage, TranslatedPage
from .events import EventIndexPage, EventPage
from .faq import FaqPage
from .forms import FormField, FormPage
from .guide import GuideIndexPage, GuidePage
from .news import NewsIndexPage, NewsPage, Topic
from .offices import OfficeIndexPage, OfficePage
from .simple import FiguresPage, HomePage, StandardPage

__all__ = [
    "EventIndexPage",
    "EventPage",
    "FaqPage",
    "FiguresPage",
    "FormField",
    "FormPage",
    "GuideIndexPage",
    "GuidePage",
    "HomePage",
    "IllustratedPage",
    "NewsIndexPage",
    "NewsPage",
    "OfficeIndexPage",
    "OfficePage",
    "StandardPage",
    "Topic",
    "TranslatedPage",
]
