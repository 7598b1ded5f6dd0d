"""Numbers in Spanish as public offices here write them, in our texts too: "6.000 €", not "6 000 €"."""

THOUSAND_SEPARATOR = "."
