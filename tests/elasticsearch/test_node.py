"""The node is a real server, and what we added to it behaves as in the stock distribution."""

import socket
import uuid

import pytest
from elasticsearch import BadRequestError, ConflictError, Elasticsearch

from tests.elasticsearch import node


@pytest.fixture(scope="module")
def client(elasticsearch_url):
    with Elasticsearch(elasticsearch_url) as client:
        yield client


@pytest.fixture
def index_name(client):
    name = f"node-{uuid.uuid4()}"
    yield name
    client.indices.delete(index=f"{name},{name}-2", ignore_unavailable=True)


def _tokens(client, text, **analysis):
    return [token["token"] for token in client.indices.analyze(text=text, **analysis)["tokens"]]


def test_node_says_who_it_is(client):
    answer = client.info()

    assert client.ping()
    assert answer["version"]["number"] == "8.19.5"
    assert answer["tagline"] == "You Know, for Search"


@pytest.mark.needs("elasticsearch")
def test_node_refuses_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(node.NodeError, match="is taken"):
        node.start(port=other.getsockname()[1])


@pytest.mark.parametrize(
    ("analyzer", "text", "expected"),
    [
        ("catalan", "mascaretes botigues l'empresa", ["mascaret", "botigu", "empr"]),
        ("catalan", "Formació i confecció per als comerços", ["form", "confec", "comerç"]),
        ("spanish", "las mascarillas y los comercios", ["mascarill", "comerci"]),
        ("english", "the shops' masks and services", ["shop", "mask", "servic"]),
        ("standard", "L'Àngel, 3D", ["l'àngel", "3d"]),
        ("whitespace", "L'Àngel, 3D", ["L'Àngel,", "3D"]),
        ("keyword", "L'Àngel, 3D", ["L'Àngel, 3D"]),
    ],
)
def test_analyzer_gives_the_stock_tokens(client, analyzer, text, expected):
    assert _tokens(client, text, analyzer=analyzer) == expected


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ("lowercase", "Àrea", ["àrea"]),
        ("asciifolding", "àrea", ["area"]),
        ({"type": "asciifolding", "preserve_original": True}, "àrea", ["area", "àrea"]),
        ({"type": "elision", "articles": ["l", "d"], "articles_case": True}, "l'aigua", ["aigua"]),
        ({"type": "stop", "stopwords": "_catalan_"}, "la botiga", ["botiga"]),
        ({"type": "stemmer", "language": "catalan"}, "botigues", ["botigu"]),
        ({"type": "stemmer", "language": "light_spanish"}, "mascarillas", ["mascarill"]),
        ({"type": "stemmer", "language": "light_english"}, "services", ["service"]),
        ({"type": "snowball", "language": "Catalan"}, "botigues", ["botigu"]),
        ({"type": "stemmer_override", "rules": ["mascaretes, mascareta => mascara"]}, "mascaretes", ["mascara"]),
        ({"type": "edge_ngram", "min_gram": 2, "max_gram": 4}, "botiga", ["bo", "bot", "boti"]),
        ({"type": "edge_ngram", "min_gram": 1, "max_gram": 2, "side": "back"}, "gel", ["l", "el"]),
        ({"type": "ngram", "min_gram": 2, "max_gram": 3}, "gel", ["ge", "gel", "el"]),
        ({"type": "shingle", "output_unigrams": False}, "gel hidroalcohòlic", ["gel hidroalcohòlic"]),
        ("unique", "gel gel", ["gel"]),
        ({"type": "trim"}, "gel", ["gel"]),
        ({"type": "length", "min": 3}, "de gel", ["gel"]),
        ({"type": "truncate", "length": 2}, "gel", ["ge"]),
        ("reverse", "gel", ["leg"]),
        ({"type": "word_delimiter_graph", "preserve_original": True}, "e-Gel3", ["e-Gel3", "e", "Gel", "3"]),
        ({"type": "synonym_graph", "synonyms": ["màscara, mascareta"]}, "màscara", ["mascareta", "màscara"]),
        ({"type": "synonym", "synonyms": ["màscara => mascareta"]}, "màscara", ["mascareta"]),
        ({"type": "synonym_graph", "synonyms": ["gel hidroalcohòlic => desinfectant"]}, "gel hidroalcohòlic", ["desinfectant"]),
    ],
)
def test_token_filter_gives_the_stock_tokens(client, options, text, expected):
    tokenizer = "whitespace"
    assert _tokens(client, text, tokenizer=tokenizer, filter=[options]) == expected


def test_keyword_marker_keeps_a_word_from_its_stemmer(client):
    keep = {"type": "keyword_marker", "keywords": ["botigues"]}
    stem = {"type": "stemmer", "language": "catalan"}
    assert _tokens(client, "botigues mascaretes", tokenizer="whitespace", filter=[keep, stem]) == ["botigues", "mascaret"]


def test_synonym_rules_go_through_the_filters_before_them(client):
    synonyms = {"type": "synonym_graph", "synonyms": ["Màscares => Guants"]}
    stem = {"type": "stemmer", "language": "catalan"}
    assert _tokens(client, "mascara", tokenizer="standard", filter=["lowercase", "asciifolding", stem, synonyms]) == ["guant"]


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ("html_strip", "<p>gel &amp; EPI</p>", ["\ngel & EPI\n"]),
        ({"type": "mapping", "mappings": ["l·l => ll", "\\u0040 => \\\\"]}, "col·legi@", ["collegi\\"]),
        ({"type": "pattern_replace", "pattern": "(\\d+)-(\\d+)", "replacement": "$1$2"}, "93-739", ["93739"]),
    ],
)
def test_char_filter_gives_the_stock_text(client, options, text, expected):
    assert _tokens(client, text, tokenizer="keyword", char_filter=[options]) == expected


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ({"type": "edge_ngram", "min_gram": 1, "max_gram": 2, "token_chars": ["letter"]}, "gel 3", ["g", "ge"]),
        ({"type": "ngram", "min_gram": 2, "max_gram": 2}, "gel", ["ge", "el"]),
        ({"type": "pattern", "pattern": ";"}, "a b;c", ["a b", "c"]),
        ({"type": "path_hierarchy"}, "C/22/222", ["C", "C/22", "C/22/222"]),
        ("letter", "a3b", ["a", "b"]),
        ("uax_url_email", "escriviu a info@terrassa.cat", ["escriviu", "a", "info@terrassa.cat"]),
    ],
)
def test_tokenizer_gives_the_stock_tokens(client, options, text, expected):
    assert _tokens(client, text, tokenizer=options) == expected


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"type": "stemmer", "language": "klingon"}, "Invalid stemmer class specified"),
        ({"type": "no_such_filter"}, "no_such_filter"),
        ({"type": "elision"}, "elision filter requires"),
        ({"type": "truncate"}, "length parameter must be provided"),
        ({"type": "ngram", "min_gram": 1, "max_gram": 5}, "index.max_ngram_diff"),
        ({"type": "synonym", "synonyms_set": "ours"}, "reads only"),
    ],
)
def test_bad_filter_is_refused_loudly(client, options, complaint):
    with pytest.raises(BadRequestError, match=complaint):
        client.indices.analyze(text="gel", tokenizer="standard", filter=[options])


def test_mapping_uses_every_part(client, index_name):
    """Configured analyzers, a normalizer, and stop words of a language analyzer, all in one index."""
    analysis = {
        "char_filter": {"dots": {"type": "mapping", "mappings": ["· => "]}},
        "filter": {
            "catalan_elision": {"type": "elision", "articles": ["l", "d"], "articles_case": True},
            "starts": {"type": "edge_ngram", "min_gram": 2, "max_gram": 10},
        },
        "analyzer": {
            "start": {"tokenizer": "standard", "char_filter": ["dots"], "filter": ["lowercase", "catalan_elision", "asciifolding", "starts"]},
            "own_catalan": {"type": "catalan", "stopwords": ["gel"], "stem_exclusion": ["botigues"]},
        },
        "normalizer": {"plain": {"type": "custom", "filter": ["lowercase", "asciifolding"]}},
    }
    properties = {
        "title": {"type": "text", "analyzer": "own_catalan", "fields": {"start": {"type": "text", "analyzer": "start", "search_analyzer": "standard"}}},
        "name": {"type": "keyword", "normalizer": "plain"},
    }
    client.indices.create(index=index_name, settings={"analysis": analysis, "number_of_replicas": 0}, mappings={"properties": properties})
    client.index(index=index_name, id="1", document={"title": "Gel de l'Àrea", "name": "Àrea"}, refresh=True)

    assert _tokens(client, "gel i botigues i mascaretes", index=index_name, analyzer="own_catalan") == ["i", "botigues", "i", "mascaret"]
    assert client.count(index=index_name, query={"match": {"title.start": "are"}})["count"] == 1
    assert client.count(index=index_name, query={"term": {"name": "AREA"}})["count"] == 1
    assert client.count(index=index_name, query={"prefix": {"name": "ÀR"}})["count"] == 1


def test_older_external_version_is_refused(client, index_name):
    def write(version):
        client.index(index=index_name, id="1", document={"title": "Gel"}, version=version, version_type="external")

    write(5)
    with pytest.raises(ConflictError) as refusal:
        write(4)

    assert refusal.value.status_code == 409
    assert client.get(index=index_name, id="1")["_version"] == 5


def test_alias_moves_in_one_call(client, index_name):
    alias, other = f"{index_name}-alias", f"{index_name}-2"
    for name in (index_name, other):
        client.indices.create(index=name)
    client.indices.put_alias(index=index_name, name=alias)

    client.indices.update_aliases(actions=[{"remove": {"index": index_name, "alias": alias}}, {"add": {"index": other, "alias": alias}}])

    assert set(client.indices.get_alias(name=alias)) == {other}
