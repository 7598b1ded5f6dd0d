import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;

import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.en.EnglishMinimalStemFilter;
import org.apache.lucene.analysis.en.EnglishPossessiveFilter;
import org.apache.lucene.analysis.en.KStemFilter;
import org.apache.lucene.analysis.en.PorterStemFilter;
import org.apache.lucene.analysis.es.SpanishLightStemFilter;
import org.apache.lucene.analysis.es.SpanishPluralStemFilter;
import org.apache.lucene.analysis.fr.FrenchLightStemFilter;
import org.apache.lucene.analysis.fr.FrenchMinimalStemFilter;
import org.apache.lucene.analysis.gl.GalicianMinimalStemFilter;
import org.apache.lucene.analysis.gl.GalicianStemFilter;
import org.apache.lucene.analysis.snowball.SnowballFilter;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.index.IndexSettings;
import org.tartarus.snowball.ext.BasqueStemmer;
import org.tartarus.snowball.ext.CatalanStemmer;
import org.tartarus.snowball.ext.EnglishStemmer;
import org.tartarus.snowball.ext.FrenchStemmer;
import org.tartarus.snowball.ext.SpanishStemmer;

/** The values of the stemmer filter's option "language" (or "name"), for the languages of this part of the world. */
final class Stemmers {
    private static final Map<String, UnaryOperator<TokenStream>> STEMMERS = Map.ofEntries(
        Map.entry("catalan", in -> new SnowballFilter(in, new CatalanStemmer())),
        Map.entry("spanish", in -> new SnowballFilter(in, new SpanishStemmer())),
        Map.entry("lightspanish", SpanishLightStemFilter::new),
        Map.entry("spanish_plural", SpanishPluralStemFilter::new),
        Map.entry("english", PorterStemFilter::new),
        Map.entry("porter", PorterStemFilter::new),
        Map.entry("porter2", in -> new SnowballFilter(in, new EnglishStemmer())),
        Map.entry("lightenglish", KStemFilter::new),
        Map.entry("kstem", KStemFilter::new),
        Map.entry("minimalenglish", EnglishMinimalStemFilter::new),
        Map.entry("possessiveenglish", EnglishPossessiveFilter::new),
        Map.entry("french", in -> new SnowballFilter(in, new FrenchStemmer())),
        Map.entry("lightfrench", FrenchLightStemFilter::new),
        Map.entry("minimalfrench", FrenchMinimalStemFilter::new),
        Map.entry("basque", in -> new SnowballFilter(in, new BasqueStemmer())),
        Map.entry("galician", GalicianStemFilter::new),
        Map.entry("minimal_galician", GalicianMinimalStemFilter::new)
    );

    private Stemmers() {}

    static UnaryOperator<TokenStream> configure(IndexSettings index, Environment environment, Settings options) {
        String language = options.get("language", options.get("name", "porter")).toLowerCase(Locale.ROOT);
        // Most are spelt both ways: light_spanish and lightSpanish.
        String joined = language.replaceFirst("^(light|minimal|possessive)_", "$1");
        UnaryOperator<TokenStream> stemmer = STEMMERS.getOrDefault(language, STEMMERS.get(joined));
        if (stemmer == null) {
            String known = " (this node has " + STEMMERS.keySet() + ")";
            throw new IllegalArgumentException("Invalid stemmer class specified: " + language + known);
        }
        return stemmer;
    }
}
