import static org.apache.lucene.analysis.miscellaneous.WordDelimiterGraphFilter.CATENATE_ALL;
import static org.apache.lucene.analysis.miscellaneous.WordDelimiterGraphFilter.CATENATE_NUMBERS;
import static org.apache.lucene.analysis.miscellaneous.WordDelimiterGraphFilter.CATENATE_WORDS;
import static org.apache.lucene.analysis.miscellaneous.WordDelimiterGraphFilter.GENERATE_NUMBER_PARTS;
import static org.apache.lucene.analysis.miscellaneous.WordDelimiterGraphFilter.GENERATE_WORD_PARTS;
import static org.apache.lucene.analysis.miscellaneous.WordDelimiterGraphFilter.IGNORE_KEYWORDS;
import static org.apache.lucene.analysis.miscellaneous.WordDelimiterGraphFilter.PRESERVE_ORIGINAL;
import static org.apache.lucene.analysis.miscellaneous.WordDelimiterGraphFilter.SPLIT_ON_CASE_CHANGE;
import static org.apache.lucene.analysis.miscellaneous.WordDelimiterGraphFilter.SPLIT_ON_NUMERICS;
import static org.apache.lucene.analysis.miscellaneous.WordDelimiterGraphFilter.STEM_ENGLISH_POSSESSIVE;

import java.util.Map;
import java.util.function.UnaryOperator;

import org.apache.lucene.analysis.CharArraySet;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.miscellaneous.WordDelimiterGraphFilter;
import org.apache.lucene.analysis.miscellaneous.WordDelimiterIterator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.index.IndexSettings;
import org.elasticsearch.index.analysis.Analysis;

/** word_delimiter_graph: splits words at hyphens, changes of case and digits. */
final class WordDelimiter {
    private static final Map<String, Integer> ON_BY_DEFAULT = Map.of(
        "generate_word_parts", GENERATE_WORD_PARTS,
        "generate_number_parts", GENERATE_NUMBER_PARTS,
        "split_on_case_change", SPLIT_ON_CASE_CHANGE,
        "split_on_numerics", SPLIT_ON_NUMERICS,
        "stem_english_possessive", STEM_ENGLISH_POSSESSIVE
    );
    private static final Map<String, Integer> OFF_BY_DEFAULT = Map.of(
        "catenate_words", CATENATE_WORDS,
        "catenate_numbers", CATENATE_NUMBERS,
        "catenate_all", CATENATE_ALL,
        "preserve_original", PRESERVE_ORIGINAL,
        "ignore_keywords", IGNORE_KEYWORDS
    );

    private WordDelimiter() {}

    static TokenStream plain(TokenStream in) {
        return filter(in, true, flags(Settings.EMPTY), null);
    }

    static UnaryOperator<TokenStream> configure(IndexSettings index, Environment environment, Settings options) {
        if (options.hasValue("type_table") || options.hasValue("type_table_path")) {
            throw new IllegalArgumentException("word_delimiter_graph: this node has no [type_table]");
        }
        CharArraySet words = Analysis.getWordSet(environment, options, "protected_words");
        CharArraySet kept = words == null ? null : CharArraySet.copy(words);
        int flags = flags(options);
        boolean offsets = options.getAsBoolean("adjust_offsets", true);
        return in -> filter(in, offsets, flags, kept);
    }

    private static TokenStream filter(TokenStream in, boolean offsets, int flags, CharArraySet kept) {
        return new WordDelimiterGraphFilter(in, offsets, WordDelimiterIterator.DEFAULT_WORD_DELIM_TABLE, flags, kept);
    }

    private static int flags(Settings options) {
        int flags = 0;
        for (Map.Entry<String, Integer> flag : ON_BY_DEFAULT.entrySet()) {
            flags |= options.getAsBoolean(flag.getKey(), true) ? flag.getValue() : 0;
        }
        for (Map.Entry<String, Integer> flag : OFF_BY_DEFAULT.entrySet()) {
            flags |= options.getAsBoolean(flag.getKey(), false) ? flag.getValue() : 0;
        }
        return flags;
    }
}
