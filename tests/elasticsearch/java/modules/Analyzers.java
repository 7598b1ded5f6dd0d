import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.CharArraySet;
import org.apache.lucene.analysis.StopwordAnalyzerBase;
import org.apache.lucene.analysis.ca.CatalanAnalyzer;
import org.apache.lucene.analysis.core.KeywordAnalyzer;
import org.apache.lucene.analysis.core.SimpleAnalyzer;
import org.apache.lucene.analysis.core.StopAnalyzer;
import org.apache.lucene.analysis.core.WhitespaceAnalyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.es.SpanishAnalyzer;
import org.apache.lucene.analysis.eu.BasqueAnalyzer;
import org.apache.lucene.analysis.fr.FrenchAnalyzer;
import org.apache.lucene.analysis.gl.GalicianAnalyzer;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.index.analysis.AbstractIndexAnalyzerProvider;
import org.elasticsearch.index.analysis.Analysis;
import org.elasticsearch.index.analysis.AnalyzerProvider;
import org.elasticsearch.index.analysis.PreBuiltAnalyzerProviderFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.indices.analysis.PreBuiltCacheFactory.CachingStrategy;

/** Whole analyzers: the languages of this part of the world, and the plain ones. */
final class Analyzers {
    /** How Lucene makes a language's analyzer from stop words and words that are not to be stemmed. */
    private interface Maker {
        StopwordAnalyzerBase make(CharArraySet stopWords, CharArraySet stemExclusion);
    }

    private record Language(String name, Maker maker, Supplier<CharArraySet> stopWords) {
        Analyzer plain() {
            return maker.make(stopWords.get(), CharArraySet.EMPTY_SET);
        }
    }

    private static final List<Language> LANGUAGES = List.of(
        new Language("catalan", CatalanAnalyzer::new, CatalanAnalyzer::getDefaultStopSet),
        new Language("spanish", SpanishAnalyzer::new, SpanishAnalyzer::getDefaultStopSet),
        new Language("english", EnglishAnalyzer::new, EnglishAnalyzer::getDefaultStopSet),
        new Language("french", FrenchAnalyzer::new, FrenchAnalyzer::getDefaultStopSet),
        new Language("basque", BasqueAnalyzer::new, BasqueAnalyzer::getDefaultStopSet),
        new Language("galician", GalicianAnalyzer::new, GalicianAnalyzer::getDefaultStopSet)
    );

    private Analyzers() {}

    /** Usable by name alone. (standard, simple, whitespace, stop and keyword by name are in the server itself.) */
    static List<PreBuiltAnalyzerProviderFactory> ready() {
        List<PreBuiltAnalyzerProviderFactory> ready = new ArrayList<>();
        for (Language language : LANGUAGES) {
            ready.add(new PreBuiltAnalyzerProviderFactory(language.name(), CachingStrategy.LUCENE, language::plain));
        }
        return ready;
    }

    /** As "type" of an analyzer in the index settings: languages take stopwords and stem_exclusion. */
    static Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> configurable() {
        Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> analyzers = new TreeMap<>();
        for (Language language : LANGUAGES) {
            analyzers.put(language.name(), (index, environment, name, settings) -> {
                CharArraySet stopWords = Analysis.parseStopWords(environment, settings, language.stopWords().get());
                CharArraySet exclusion = Analysis.parseStemExclusion(settings, CharArraySet.EMPTY_SET);
                return provider(name, settings, language.maker().make(stopWords, exclusion));
            });
        }
        analyzers.put("keyword", (index, environment, name, settings) -> provider(name, settings, new KeywordAnalyzer()));
        analyzers.put("simple", (index, environment, name, settings) -> provider(name, settings, new SimpleAnalyzer()));
        analyzers.put("whitespace", (index, environment, name, settings) -> provider(name, settings, new WhitespaceAnalyzer()));
        analyzers.put("stop", (index, environment, name, settings) -> {
            CharArraySet words = Analysis.parseStopWords(environment, settings, EnglishAnalyzer.ENGLISH_STOP_WORDS_SET);
            return provider(name, settings, new StopAnalyzer(words));
        });
        return analyzers;
    }

    private static AnalyzerProvider<Analyzer> provider(String name, Settings settings, Analyzer analyzer) {
        return new AbstractIndexAnalyzerProvider<>(name, settings) {
            @Override
            public Analyzer get() {
                return analyzer;
            }
        };
    }
}
