import org.apache.lucene.analysis.ngram.NGramTokenizer;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.index.IndexSettings;

/** The options min_gram and max_gram. */
record Grams(int shortest, int longest) {
    static Grams of(Settings options) {
        return new Grams(
            options.getAsInt("min_gram", NGramTokenizer.DEFAULT_MIN_NGRAM_SIZE),
            options.getAsInt("max_gram", NGramTokenizer.DEFAULT_MAX_NGRAM_SIZE)
        );
    }

    /** Grams inside a word grow fast, so an index bounds the span (edge grams are exempt). */
    Grams checked(IndexSettings index) {
        if (longest - shortest > index.getMaxNgramDiff()) {
            throw new IllegalArgumentException(
                "The difference between max_gram and min_gram must be at most ["
                    + index.getMaxNgramDiff()
                    + "] but was ["
                    + (longest - shortest)
                    + "]; see the index setting ["
                    + IndexSettings.MAX_NGRAM_DIFF_SETTING.getKey()
                    + "]"
            );
        }
        return this;
    }
}
