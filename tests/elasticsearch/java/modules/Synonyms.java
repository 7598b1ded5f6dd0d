import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.text.ParseException;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;

import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.synonym.SolrSynonymParser;
import org.apache.lucene.analysis.synonym.SynonymFilter;
import org.apache.lucene.analysis.synonym.SynonymGraphFilter;
import org.apache.lucene.analysis.synonym.SynonymMap;
import org.apache.lucene.util.CharsRef;
import org.apache.lucene.util.CharsRefBuilder;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.index.IndexService.IndexCreationContext;
import org.elasticsearch.index.IndexSettings;
import org.elasticsearch.index.analysis.Analysis;
import org.elasticsearch.index.analysis.AnalysisMode;
import org.elasticsearch.index.analysis.CharFilterFactory;
import org.elasticsearch.index.analysis.CustomAnalyzer;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.index.analysis.TokenizerFactory;

/**
 * synonym and synonym_graph, with rules in Solr's format from `synonyms` or `synonyms_path`.
 *
 * The rules go through the same tokenizer and filters that stand before this filter in its analyzer, so the
 * map can be built only when that analyzer is known. `updateable` filters serve at search time only.
 * The stock server's other sources (`synonyms_set`, the wordnet format) are refused.
 */
final class Synonyms implements TokenFilterFactory {
    private final String name;
    private final Environment environment;
    private final Settings options;
    private final boolean updateable;
    private final boolean lenient;
    private final BiFunction<TokenStream, SynonymMap, TokenStream> filter;

    private Synonyms(
        String name,
        Environment environment,
        Settings options,
        BiFunction<TokenStream, SynonymMap, TokenStream> filter
    ) {
        this.name = name;
        this.environment = environment;
        this.options = options;
        this.filter = filter;
        this.updateable = options.getAsBoolean("updateable", false);
        this.lenient = options.getAsBoolean("lenient", updateable);
        if (options.hasValue("synonyms_set") || "wordnet".equalsIgnoreCase(options.get("format", ""))) {
            throw new IllegalArgumentException("synonyms: this node reads only `synonyms` and `synonyms_path` in Solr's format");
        }
        if (!options.hasValue("synonyms") && !options.hasValue("synonyms_path")) {
            throw new IllegalArgumentException("synonym requires either `synonyms`, `synonyms_set` or `synonyms_path` to be configured");
        }
    }

    /** Lucene calls its flat filter outdated; the stock server still offers it under this name. */
    @SuppressWarnings("deprecation")
    static TokenFilterFactory flat(IndexSettings index, Environment environment, String name, Settings options) {
        return new Synonyms(name, environment, options, (in, map) -> new SynonymFilter(in, map, false));
    }

    static TokenFilterFactory graph(IndexSettings index, Environment environment, String name, Settings options) {
        return new Synonyms(name, environment, options, (in, map) -> new SynonymGraphFilter(in, map, false));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public AnalysisMode getAnalysisMode() {
        return updateable ? AnalysisMode.SEARCH_TIME : AnalysisMode.ALL;
    }

    @Override
    public TokenStream create(TokenStream in) {
        throw new IllegalStateException("The rules are known only inside an analyzer");
    }

    @Override
    public TokenFilterFactory getChainAwareTokenFilterFactory(
        IndexCreationContext context,
        TokenizerFactory tokenizer,
        List<CharFilterFactory> charFilters,
        List<TokenFilterFactory> before,
        Function<String, TokenFilterFactory> all
    ) {
        Analyzer forRules = new CustomAnalyzer(
            tokenizer,
            charFilters.toArray(CharFilterFactory[]::new),
            before.stream().map(TokenFilterFactory::getSynonymFilter).toArray(TokenFilterFactory[]::new)
        );
        SynonymMap map = map(forRules);
        AnalysisMode mode = getAnalysisMode();
        return new Factory(name, in -> map.fst == null ? in : filter.apply(in, map)) {
            @Override
            public AnalysisMode getAnalysisMode() {
                return mode;
            }

            /** Further synonym filters parse their rules without these synonyms. */
            @Override
            public TokenFilterFactory getSynonymFilter() {
                return IDENTITY_FILTER;
            }
        };
    }

    private SynonymMap map(Analyzer forRules) {
        try (Reader rules = rules()) {
            Rules parser = new Rules(options.getAsBoolean("expand", true), lenient, forRules);
            parser.parse(rules);
            return parser.build();
        } catch (IOException | ParseException | RuntimeException error) {
            throw new IllegalArgumentException("failed to build synonyms of [" + name + "]", error);
        }
    }

    private Reader rules() {
        if (options.hasValue("synonyms")) {
            return new StringReader(String.join("\n", Analysis.getWordList(environment, options, "synonyms")));
        }
        return Analysis.getReaderFromFile(environment, options.get("synonyms_path"), "synonyms");
    }

    /** Lucene's parser; a lenient one leaves out a term of which the analyzer keeps nothing that can be mapped. */
    private static final class Rules extends SolrSynonymParser {
        private final boolean lenient;

        Rules(boolean expand, boolean lenient, Analyzer analyzer) {
            super(true, expand, analyzer);
            this.lenient = lenient;
        }

        @Override
        public CharsRef analyze(String text, CharsRefBuilder reuse) throws IOException {
            try {
                return super.analyze(text, reuse);
            } catch (IllegalArgumentException error) {
                if (!lenient) {
                    throw error;
                }
                return new CharsRef();
            }
        }

        @Override
        public void add(CharsRef input, CharsRef output, boolean includeOriginal) {
            if (!lenient || (input.length > 0 && output.length > 0)) {
                super.add(input, output, includeOriginal);
            }
        }
    }
}
