"""Pictures in templates; pages/picture.html prints what this finds."""

from django import template
from wagtail.images.models import AbstractImage

from cms.pages import pictures

register = template.Library()


@register.simple_tag
def picture_sources(image: AbstractImage | None, fit: str) -> pictures.Shown | None:
    """The picture's sizes and formats for one of pictures.FITS."""
    return pictures.shown(image, fit) if image else None
