"""The blocks that an aid's texts are made of."""

from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from cms.pages.blocks import BODY_BLOCKS, ButtonBlock, CalloutBlock, DocumentBlock, StepsBlock, TextBlock

#: What it pays for, conditions, papers: all that a page's text may have.
BODY = BODY_BLOCKS


class HowBlock(blocks.StreamBlock):
    """How to ask for it: steps first of all."""

    steps = StepsBlock()
    text = TextBlock(label=_("Text"))
    callout = CalloutBlock()
    document = DocumentBlock()
    button = ButtonBlock()

    class Meta:
        template = "pages/blocks/body.html"
