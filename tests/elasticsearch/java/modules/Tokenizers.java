import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import java.util.function.Supplier;

import org.apache.lucene.analysis.Tokenizer;
import org.apache.lucene.analysis.core.KeywordTokenizer;
import org.apache.lucene.analysis.core.LetterTokenizer;
import org.apache.lucene.analysis.core.WhitespaceTokenizer;
import org.apache.lucene.analysis.email.UAX29URLEmailTokenizer;
import org.apache.lucene.analysis.ngram.EdgeNGramTokenizer;
import org.apache.lucene.analysis.ngram.NGramTokenizer;
import org.apache.lucene.analysis.path.PathHierarchyTokenizer;
import org.apache.lucene.analysis.path.ReversePathHierarchyTokenizer;
import org.apache.lucene.analysis.pattern.PatternTokenizer;
import org.apache.lucene.analysis.standard.StandardAnalyzer;
import org.apache.lucene.util.AttributeFactory;
import org.elasticsearch.common.regex.Regex;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.index.IndexSettings;
import org.elasticsearch.index.analysis.AbstractTokenizerFactory;
import org.elasticsearch.index.analysis.PreConfiguredTokenizer;
import org.elasticsearch.index.analysis.TokenizerFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;

/** What cuts a text into tokens (standard is in the server itself). */
final class Tokenizers {
    /** Reads the options once, and gives what makes a tokenizer for each text. */
    private interface Maker {
        Supplier<Tokenizer> configure(IndexSettings index, Settings options);
    }

    private static final Map<String, Maker> MAKERS = Map.of(
        "keyword", Tokenizers::keyword,
        "whitespace", Tokenizers::whitespace,
        "letter", (index, options) -> LetterTokenizer::new,
        "uax_url_email", Tokenizers::urlsAndMail,
        "pattern", Tokenizers::pattern,
        "path_hierarchy", Tokenizers::path,
        "ngram", Tokenizers::grams,
        "edge_ngram", Tokenizers::edgeGrams
    );

    private Tokenizers() {}

    static List<PreConfiguredTokenizer> ready() {
        return List.of(
            PreConfiguredTokenizer.singleton("keyword", KeywordTokenizer::new),
            PreConfiguredTokenizer.singleton("whitespace", WhitespaceTokenizer::new),
            PreConfiguredTokenizer.singleton("letter", LetterTokenizer::new),
            PreConfiguredTokenizer.singleton("uax_url_email", UAX29URLEmailTokenizer::new),
            PreConfiguredTokenizer.singleton("pattern", () -> new PatternTokenizer(Regex.compile("\\W+", null), -1)),
            PreConfiguredTokenizer.singleton("path_hierarchy", PathHierarchyTokenizer::new),
            PreConfiguredTokenizer.singleton("ngram", NGramTokenizer::new),
            // Lucene's own default is one letter only.
            PreConfiguredTokenizer.singleton(
                "edge_ngram",
                () -> new EdgeNGramTokenizer(NGramTokenizer.DEFAULT_MIN_NGRAM_SIZE, NGramTokenizer.DEFAULT_MAX_NGRAM_SIZE)
            )
        );
    }

    static Map<String, AnalysisProvider<TokenizerFactory>> configurable() {
        Map<String, AnalysisProvider<TokenizerFactory>> tokenizers = new TreeMap<>();
        MAKERS.forEach((type, maker) -> tokenizers.put(type, (index, environment, name, options) -> {
            Supplier<Tokenizer> tokenizer = maker.configure(index, options);
            return new AbstractTokenizerFactory(index, options, name) {
                @Override
                public Tokenizer create() {
                    return tokenizer.get();
                }
            };
        }));
        return tokenizers;
    }

    private static Supplier<Tokenizer> keyword(IndexSettings index, Settings options) {
        int size = options.getAsInt("buffer_size", KeywordTokenizer.DEFAULT_BUFFER_SIZE);
        return () -> new KeywordTokenizer(size);
    }

    private static Supplier<Tokenizer> whitespace(IndexSettings index, Settings options) {
        int longest = options.getAsInt("max_token_length", StandardAnalyzer.DEFAULT_MAX_TOKEN_LENGTH);
        return () -> new WhitespaceTokenizer(AttributeFactory.DEFAULT_ATTRIBUTE_FACTORY, longest);
    }

    private static Supplier<Tokenizer> urlsAndMail(IndexSettings index, Settings options) {
        int longest = options.getAsInt("max_token_length", StandardAnalyzer.DEFAULT_MAX_TOKEN_LENGTH);
        return () -> {
            UAX29URLEmailTokenizer tokenizer = new UAX29URLEmailTokenizer();
            tokenizer.setMaxTokenLength(longest);
            return tokenizer;
        };
    }

    private static Supplier<Tokenizer> pattern(IndexSettings index, Settings options) {
        var pattern = Regex.compile(options.get("pattern", "\\W+"), options.get("flags"));
        int group = options.getAsInt("group", -1);
        return () -> new PatternTokenizer(pattern, group);
    }

    private static Supplier<Tokenizer> path(IndexSettings index, Settings options) {
        int size = options.getAsInt("buffer_size", 1024);
        int skip = options.getAsInt("skip", PathHierarchyTokenizer.DEFAULT_SKIP);
        char delimiter = character(options.get("delimiter", "/"), "delimiter");
        char replacement = character(options.get("replacement", String.valueOf(delimiter)), "replacement");
        if (options.getAsBoolean("reverse", false)) {
            return () -> new ReversePathHierarchyTokenizer(size, delimiter, replacement, skip);
        }
        return () -> new PathHierarchyTokenizer(size, delimiter, replacement, skip);
    }

    private static char character(String text, String option) {
        if (text.length() != 1) {
            throw new IllegalArgumentException(option + " must be a one char value");
        }
        return text.charAt(0);
    }

    private static Supplier<Tokenizer> grams(IndexSettings index, Settings options) {
        Grams grams = Grams.of(options).checked(index);
        IntPredicate kept = TokenCharacters.of(options);
        if (kept == null) {
            return () -> new NGramTokenizer(grams.shortest(), grams.longest());
        }
        return () -> new NGramTokenizer(grams.shortest(), grams.longest()) {
            @Override
            protected boolean isTokenChar(int character) {
                return kept.test(character);
            }
        };
    }

    private static Supplier<Tokenizer> edgeGrams(IndexSettings index, Settings options) {
        Grams grams = Grams.of(options);
        IntPredicate kept = TokenCharacters.of(options);
        if (kept == null) {
            return () -> new EdgeNGramTokenizer(grams.shortest(), grams.longest());
        }
        return () -> new EdgeNGramTokenizer(grams.shortest(), grams.longest()) {
            @Override
            protected boolean isTokenChar(int character) {
                return kept.test(character);
            }
        };
    }
}
