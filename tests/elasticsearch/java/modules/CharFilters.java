import java.io.Reader;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.apache.lucene.analysis.charfilter.HTMLStripCharFilter;
import org.apache.lucene.analysis.charfilter.MappingCharFilter;
import org.apache.lucene.analysis.charfilter.NormalizeCharMap;
import org.apache.lucene.analysis.pattern.PatternReplaceCharFilter;
import org.elasticsearch.common.regex.Regex;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.index.analysis.AbstractCharFilterFactory;
import org.elasticsearch.index.analysis.Analysis;
import org.elasticsearch.index.analysis.CharFilterFactory;
import org.elasticsearch.index.analysis.NormalizingCharFilterFactory;
import org.elasticsearch.index.analysis.PreConfiguredCharFilter;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.AnalysisPlugin;

/** What changes a text before it is cut into tokens. */
final class CharFilters {
    private static final Pattern RULE = Pattern.compile("(.*)\\s*=>\\s*(.*)\\s*$");

    private CharFilters() {}

    static List<PreConfiguredCharFilter> ready() {
        return List.of(PreConfiguredCharFilter.singleton("html_strip", false, HTMLStripCharFilter::new));
    }

    static Map<String, AnalysisProvider<CharFilterFactory>> configurable() {
        Map<String, AnalysisProvider<CharFilterFactory>> filters = new TreeMap<>();
        filters.put("html_strip", (index, environment, name, options) -> stripper(name, options));
        filters.put(
            "mapping",
            AnalysisPlugin.requiresAnalysisSettings(
                (index, environment, name, options) -> normalizing(name, mapping(environment, options))
            )
        );
        filters.put(
            "pattern_replace",
            AnalysisPlugin.requiresAnalysisSettings((index, environment, name, options) -> normalizing(name, replacement(options)))
        );
        return filters;
    }

    private static CharFilterFactory stripper(String name, Settings options) {
        Set<String> kept = Set.copyOf(options.getAsList("escaped_tags"));
        return new AbstractCharFilterFactory(name) {
            @Override
            public Reader create(Reader text) {
                return new HTMLStripCharFilter(text, kept);
            }
        };
    }

    private static UnaryOperator<Reader> mapping(Environment environment, Settings options) {
        List<String> rules = Analysis.getWordList(environment, options, "mappings");
        if (rules == null) {
            throw new IllegalArgumentException("mapping requires either `mappings` or `mappings_path` to be configured");
        }
        NormalizeCharMap.Builder map = new NormalizeCharMap.Builder();
        for (String rule : rules) {
            Matcher sides = RULE.matcher(rule);
            if (!sides.find()) {
                throw new IllegalArgumentException("Invalid Mapping Rule : [" + rule + "]");
            }
            map.add(unescape(sides.group(1).trim()), unescape(sides.group(2).trim()));
        }
        NormalizeCharMap built = map.build();
        return text -> new MappingCharFilter(built, text);
    }

    /** A rule may write a character as \\, \n, \t, \r, \b, \f or backslash, u and four hexadecimal digits. */
    private static String unescape(String text) {
        StringBuilder plain = new StringBuilder();
        for (int at = 0; at < text.length(); at++) {
            char character = text.charAt(at);
            if (character != '\\') {
                plain.append(character);
                continue;
            }
            if (++at >= text.length()) {
                throw new IllegalArgumentException("Invalid escaped char in [" + text + "]");
            }
            switch (text.charAt(at)) {
                case 'n' -> plain.append('\n');
                case 't' -> plain.append('\t');
                case 'r' -> plain.append('\r');
                case 'b' -> plain.append('\b');
                case 'f' -> plain.append('\f');
                case 'u' -> {
                    if (at + 4 >= text.length()) {
                        throw new IllegalArgumentException("Invalid escaped char in [" + text + "]");
                    }
                    plain.append((char) Integer.parseInt(text.substring(at + 1, at + 5), 16));
                    at += 4;
                }
                default -> plain.append(text.charAt(at));
            }
        }
        return plain.toString();
    }

    private static UnaryOperator<Reader> replacement(Settings options) {
        String pattern = options.get("pattern");
        if (pattern == null || pattern.isEmpty()) {
            throw new IllegalArgumentException("pattern is missing for [pattern_replace] char filter");
        }
        Pattern compiled = Regex.compile(pattern, options.get("flags"));
        String replacement = options.get("replacement", "");
        return text -> new PatternReplaceCharFilter(compiled, replacement, text);
    }

    private static CharFilterFactory normalizing(String name, UnaryOperator<Reader> filter) {
        return new NormalizingCharFilterFactory() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public Reader create(Reader text) {
                return filter.apply(text);
            }
        };
    }
}
