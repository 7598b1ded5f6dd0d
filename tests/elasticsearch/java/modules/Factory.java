import java.util.function.UnaryOperator;

import org.apache.lucene.analysis.TokenStream;
import org.elasticsearch.index.analysis.NormalizingTokenFilterFactory;
import org.elasticsearch.index.analysis.TokenFilterFactory;

/** A token filter as a function from stream to stream, under the name that the index settings give it. */
class Factory implements TokenFilterFactory {
    private final String name;
    private final UnaryOperator<TokenStream> filter;

    Factory(String name, UnaryOperator<TokenStream> filter) {
        this.name = name;
        this.filter = filter;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public TokenStream create(TokenStream in) {
        return filter.apply(in);
    }

    /** One that also works on wildcards, prefixes and in keyword normalizers. */
    static class Normalizing extends Factory implements NormalizingTokenFilterFactory {
        Normalizing(String name, UnaryOperator<TokenStream> filter) {
            super(name, filter);
        }
    }

    /** One that makes several tokens of one, so that no synonym filter may follow it. */
    static class NotInSynonyms extends Factory {
        NotInSynonyms(String name, UnaryOperator<TokenStream> filter) {
            super(name, filter);
        }

        @Override
        public boolean breaksFastVectorHighlighter() {
            return true;
        }

        @Override
        public TokenFilterFactory getSynonymFilter() {
            throw new IllegalArgumentException("Token filter [" + name() + "] cannot be used to parse synonyms");
        }
    }
}
