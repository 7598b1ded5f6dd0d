import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

import org.apache.lucene.analysis.CharArraySet;
import org.apache.lucene.analysis.LowerCaseFilter;
import org.apache.lucene.analysis.StopFilter;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.core.DecimalDigitFilter;
import org.apache.lucene.analysis.core.FlattenGraphFilter;
import org.apache.lucene.analysis.core.UpperCaseFilter;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.en.KStemFilter;
import org.apache.lucene.analysis.en.PorterStemFilter;
import org.apache.lucene.analysis.fr.FrenchAnalyzer;
import org.apache.lucene.analysis.miscellaneous.ASCIIFoldingFilter;
import org.apache.lucene.analysis.miscellaneous.KeywordRepeatFilter;
import org.apache.lucene.analysis.miscellaneous.LengthFilter;
import org.apache.lucene.analysis.miscellaneous.LimitTokenCountFilter;
import org.apache.lucene.analysis.miscellaneous.PatternKeywordMarkerFilter;
import org.apache.lucene.analysis.miscellaneous.RemoveDuplicatesTokenFilter;
import org.apache.lucene.analysis.miscellaneous.SetKeywordMarkerFilter;
import org.apache.lucene.analysis.miscellaneous.StemmerOverrideFilter;
import org.apache.lucene.analysis.miscellaneous.TrimFilter;
import org.apache.lucene.analysis.miscellaneous.TruncateTokenFilter;
import org.apache.lucene.analysis.ngram.EdgeNGramTokenFilter;
import org.apache.lucene.analysis.ngram.NGramTokenFilter;
import org.apache.lucene.analysis.pattern.PatternReplaceFilter;
import org.apache.lucene.analysis.reverse.ReverseStringFilter;
import org.apache.lucene.analysis.shingle.ShingleFilter;
import org.apache.lucene.analysis.snowball.SnowballFilter;
import org.apache.lucene.analysis.tr.ApostropheFilter;
import org.apache.lucene.analysis.util.ElisionFilter;
import org.elasticsearch.common.Strings;
import org.elasticsearch.common.regex.Regex;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.index.IndexSettings;
import org.elasticsearch.index.analysis.Analysis;
import org.elasticsearch.index.analysis.PreConfiguredTokenFilter;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.lucene.analysis.miscellaneous.DisableGraphAttribute;
import org.elasticsearch.plugins.AnalysisPlugin;

/** What changes, drops or adds tokens (stop, shingle and hunspell with options are in the server itself). */
final class TokenFilters {
    /** Reads the options once, and gives what wraps each stream of tokens. */
    private interface Maker {
        UnaryOperator<TokenStream> configure(IndexSettings index, Environment environment, Settings options);
    }

    private TokenFilters() {}

    /** Usable by name alone. The second argument says: also for wildcards, prefixes and keyword normalizers. */
    static List<PreConfiguredTokenFilter> ready() {
        return List.of(
            PreConfiguredTokenFilter.singleton("apostrophe", false, ApostropheFilter::new),
            PreConfiguredTokenFilter.singleton("asciifolding", true, ASCIIFoldingFilter::new),
            PreConfiguredTokenFilter.singleton("decimal_digit", true, DecimalDigitFilter::new),
            PreConfiguredTokenFilter.singleton("edge_ngram", false, false, in -> new EdgeNGramTokenFilter(in, 1)),
            PreConfiguredTokenFilter.singleton("elision", true, in -> new ElisionFilter(in, FrenchAnalyzer.DEFAULT_ARTICLES)),
            PreConfiguredTokenFilter.singleton("keyword_repeat", false, false, KeywordRepeatFilter::new),
            PreConfiguredTokenFilter.singleton("kstem", false, KStemFilter::new),
            PreConfiguredTokenFilter.singleton("length", false, in -> new LengthFilter(in, 0, Integer.MAX_VALUE)),
            PreConfiguredTokenFilter.singleton("limit", false, in -> new LimitTokenCountFilter(in, 1, false)),
            PreConfiguredTokenFilter.singleton("ngram", false, false, in -> new NGramTokenFilter(in, 1, 2, false)),
            PreConfiguredTokenFilter.singleton("porter_stem", false, PorterStemFilter::new),
            PreConfiguredTokenFilter.singleton("reverse", false, ReverseStringFilter::new),
            PreConfiguredTokenFilter.singleton("shingle", false, false, TokenFilters::shingles),
            PreConfiguredTokenFilter.singleton("snowball", false, in -> new SnowballFilter(in, "English")),
            PreConfiguredTokenFilter.singleton("stemmer", false, PorterStemFilter::new),
            PreConfiguredTokenFilter.singleton("stop", false, in -> new StopFilter(in, EnglishAnalyzer.ENGLISH_STOP_WORDS_SET)),
            PreConfiguredTokenFilter.singleton("trim", true, TrimFilter::new),
            PreConfiguredTokenFilter.singleton("truncate", false, in -> new TruncateTokenFilter(in, 10)),
            PreConfiguredTokenFilter.singleton("unique", false, in -> new UniqueFilter(in, false)),
            PreConfiguredTokenFilter.singleton("uppercase", true, UpperCaseFilter::new),
            PreConfiguredTokenFilter.singleton("word_delimiter_graph", false, false, WordDelimiter::plain)
        );
    }

    static Map<String, AnalysisProvider<TokenFilterFactory>> configurable() {
        Map<String, AnalysisProvider<TokenFilterFactory>> filters = new TreeMap<>();
        filters.put("apostrophe", plain(ApostropheFilter::new));
        filters.put("asciifolding", TokenFilters::asciiFolding);
        filters.put("decimal_digit", normalizing(DecimalDigitFilter::new));
        filters.put("edge_ngram", notInSynonyms(TokenFilters::edgeGrams));
        filters.put("elision", AnalysisPlugin.requiresAnalysisSettings(normalizing(TokenFilters::elision)));
        filters.put("flatten_graph", plain(FlattenGraphFilter::new));
        filters.put("keyword_marker", AnalysisPlugin.requiresAnalysisSettings(plain(TokenFilters::keywordMarker)));
        filters.put("kstem", plain(KStemFilter::new));
        filters.put("length", plain(TokenFilters::length));
        filters.put("limit", plain(TokenFilters::limit));
        filters.put("lowercase", normalizing(TokenFilters::lowercase));
        filters.put("ngram", notInSynonyms(TokenFilters::grams));
        filters.put("pattern_replace", AnalysisPlugin.requiresAnalysisSettings(normalizing(TokenFilters::patternReplace)));
        filters.put("porter_stem", plain(PorterStemFilter::new));
        filters.put("remove_duplicates", plain(RemoveDuplicatesTokenFilter::new));
        filters.put("reverse", plain(ReverseStringFilter::new));
        filters.put("snowball", plain(TokenFilters::snowball));
        filters.put("stemmer", plain(Stemmers::configure));
        filters.put("stemmer_override", AnalysisPlugin.requiresAnalysisSettings(plain(TokenFilters::stemmerOverride)));
        filters.put("synonym", AnalysisPlugin.requiresAnalysisSettings(Synonyms::flat));
        filters.put("synonym_graph", AnalysisPlugin.requiresAnalysisSettings(Synonyms::graph));
        filters.put("trim", normalizing(TrimFilter::new));
        filters.put("truncate", AnalysisPlugin.requiresAnalysisSettings(plain(TokenFilters::truncate)));
        filters.put("unique", plain(TokenFilters::unique));
        filters.put("uppercase", normalizing(UpperCaseFilter::new));
        filters.put("word_delimiter_graph", notInSynonyms(WordDelimiter::configure));
        return filters;
    }

    /** Shingles of several sizes do not line up as a graph, so queries must not try to read them as one. */
    private static TokenStream shingles(TokenStream in) {
        TokenStream shingles = new ShingleFilter(in);
        shingles.addAttribute(DisableGraphAttribute.class);
        return shingles;
    }

    private static AnalysisProvider<TokenFilterFactory> plain(UnaryOperator<TokenStream> filter) {
        return plain((index, environment, options) -> filter);
    }

    private static AnalysisProvider<TokenFilterFactory> plain(Maker maker) {
        return (index, environment, name, options) -> new Factory(name, maker.configure(index, environment, options));
    }

    private static AnalysisProvider<TokenFilterFactory> normalizing(UnaryOperator<TokenStream> filter) {
        return normalizing((index, environment, options) -> filter);
    }

    private static AnalysisProvider<TokenFilterFactory> normalizing(Maker maker) {
        return (index, environment, name, options) -> new Factory.Normalizing(name, maker.configure(index, environment, options));
    }

    private static AnalysisProvider<TokenFilterFactory> notInSynonyms(Maker maker) {
        return (index, environment, name, options) -> new Factory.NotInSynonyms(name, maker.configure(index, environment, options));
    }

    private static TokenFilterFactory asciiFolding(IndexSettings index, Environment environment, String name, Settings options) {
        if (!options.getAsBoolean("preserve_original", false)) {
            return new Factory.Normalizing(name, ASCIIFoldingFilter::new);
        }
        // Both forms are indexed, but synonym rules and normalizers can hold only one token a place.
        return new Factory.Normalizing(name, in -> new ASCIIFoldingFilter(in, true)) {
            @Override
            public TokenStream normalize(TokenStream in) {
                return new ASCIIFoldingFilter(in);
            }

            @Override
            public TokenFilterFactory getSynonymFilter() {
                return new Factory.Normalizing(name, ASCIIFoldingFilter::new);
            }
        };
    }

    private static UnaryOperator<TokenStream> lowercase(IndexSettings index, Environment environment, Settings options) {
        if (options.get("language") != null) {
            throw new IllegalArgumentException("lowercase: this node has no [language] " + options.get("language"));
        }
        return LowerCaseFilter::new;
    }

    private static UnaryOperator<TokenStream> edgeGrams(IndexSettings index, Environment environment, Settings options) {
        Grams grams = Grams.of(options);
        boolean original = options.getAsBoolean("preserve_original", false);
        UnaryOperator<TokenStream> front = in -> new EdgeNGramTokenFilter(in, grams.shortest(), grams.longest(), original);
        return switch (options.get("side", "front").toLowerCase(java.util.Locale.ROOT)) {
            case "front" -> front;
            case "back" -> in -> new ReverseStringFilter(front.apply(new ReverseStringFilter(in)));
            default -> throw new IllegalArgumentException("invalid side: " + options.get("side"));
        };
    }

    private static UnaryOperator<TokenStream> grams(IndexSettings index, Environment environment, Settings options) {
        Grams grams = Grams.of(options).checked(index);
        boolean original = options.getAsBoolean("preserve_original", false);
        return in -> new NGramTokenFilter(in, grams.shortest(), grams.longest(), original);
    }

    private static UnaryOperator<TokenStream> elision(IndexSettings index, Environment environment, Settings options) {
        CharArraySet articles = Analysis.parseArticles(environment, options);
        if (articles == null) {
            throw new IllegalArgumentException("elision filter requires [articles] or [articles_path] setting");
        }
        return in -> new ElisionFilter(in, articles);
    }

    private static UnaryOperator<TokenStream> keywordMarker(IndexSettings index, Environment environment, Settings options) {
        String pattern = options.get("keywords_pattern");
        if (pattern != null) {
            if (options.get("keywords") != null || options.get("keywords_path") != null) {
                throw new IllegalArgumentException("cannot specify both `keywords_pattern` and `keywords` or `keywords_path`");
            }
            Pattern compiled = Pattern.compile(pattern);
            return in -> new PatternKeywordMarkerFilter(in, compiled);
        }
        CharArraySet words = Analysis.getWordSet(environment, options, "keywords");
        if (words == null) {
            throw new IllegalArgumentException(
                "keyword filter requires either `keywords`, `keywords_path`, or `keywords_pattern` to be configured"
            );
        }
        CharArraySet set = new CharArraySet(words, options.getAsBoolean("ignore_case", false));
        return in -> new SetKeywordMarkerFilter(in, set);
    }

    private static UnaryOperator<TokenStream> length(IndexSettings index, Environment environment, Settings options) {
        int shortest = options.getAsInt("min", 0);
        int longest = options.getAsInt("max", Integer.MAX_VALUE);
        return in -> new LengthFilter(in, shortest, longest);
    }

    private static UnaryOperator<TokenStream> limit(IndexSettings index, Environment environment, Settings options) {
        int most = options.getAsInt("max_token_count", 1);
        boolean all = options.getAsBoolean("consume_all_tokens", false);
        return in -> new LimitTokenCountFilter(in, most, all);
    }

    private static UnaryOperator<TokenStream> patternReplace(IndexSettings index, Environment environment, Settings options) {
        String pattern = options.get("pattern");
        if (pattern == null) {
            throw new IllegalArgumentException("pattern is missing for [pattern_replace] token filter of type 'pattern_replace'");
        }
        Pattern compiled = Regex.compile(pattern, options.get("flags"));
        String replacement = options.get("replacement", "");
        boolean all = options.getAsBoolean("all", true);
        return in -> new PatternReplaceFilter(in, compiled, replacement, all);
    }

    private static UnaryOperator<TokenStream> snowball(IndexSettings index, Environment environment, Settings options) {
        String language = Strings.capitalize(options.get("language", options.get("name", "English")));
        return in -> new SnowballFilter(in, language);
    }

    private static UnaryOperator<TokenStream> stemmerOverride(IndexSettings index, Environment environment, Settings options) {
        List<String> rules = Analysis.getWordList(environment, options, "rules");
        if (rules == null) {
            throw new IllegalArgumentException("stemmer override filter requires either `rules` or `rules_path` to be configured");
        }
        StemmerOverrideFilter.Builder builder = new StemmerOverrideFilter.Builder(false);
        rules.forEach(rule -> addRule(builder, rule));
        try {
            StemmerOverrideFilter.StemmerOverrideMap map = builder.build();
            return in -> new StemmerOverrideFilter(in, map);
        } catch (java.io.IOException error) {
            throw new java.io.UncheckedIOException(error);
        }
    }

    /** "corrent, corrents => corr": the words left of the arrow get the stem right of it. */
    private static void addRule(StemmerOverrideFilter.Builder builder, String rule) {
        String[] sides = rule.split("=>", -1);
        if (sides.length != 2 || sides[1].isBlank() || sides[1].contains(",")) {
            throw new RuntimeException("Invalid Keyword override Rule:" + rule);
        }
        for (String word : sides[0].split(",", -1)) {
            if (word.isBlank()) {
                throw new RuntimeException("Invalid Keyword override Rule:" + rule);
            }
            builder.add(word.trim(), sides[1].trim());
        }
    }

    private static UnaryOperator<TokenStream> truncate(IndexSettings index, Environment environment, Settings options) {
        int length = options.getAsInt("length", -1);
        if (length <= 0) {
            throw new IllegalArgumentException("length parameter must be provided");
        }
        return in -> new TruncateTokenFilter(in, length);
    }

    private static UnaryOperator<TokenStream> unique(IndexSettings index, Environment environment, Settings options) {
        boolean samePosition = options.getAsBoolean("only_on_same_position", false);
        return in -> new UniqueFilter(in, samePosition);
    }
}
