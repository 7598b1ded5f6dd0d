"""The blocks that an aid's texts and rules are made of."""

from wagtail import blocks

#: What is funded, conditions, papers.
BODY = [("text", blocks.RichTextBlock())]

#: What to do, one step after another.
STEPS = [("step", blocks.RichTextBlock())]

#: Who can have it.
RULES: list = []
