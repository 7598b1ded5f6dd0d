import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.IntPredicate;

import org.elasticsearch.common.settings.Settings;

/** The options token_chars and custom_token_chars: which characters the gram tokenizers keep. */
final class TokenCharacters {
    private static final Set<Byte> PUNCTUATION = Set.of(
        Character.START_PUNCTUATION,
        Character.END_PUNCTUATION,
        Character.OTHER_PUNCTUATION,
        Character.CONNECTOR_PUNCTUATION,
        Character.DASH_PUNCTUATION,
        Character.INITIAL_QUOTE_PUNCTUATION,
        Character.FINAL_QUOTE_PUNCTUATION
    );
    private static final Set<Byte> SYMBOLS = Set.of(Character.CURRENCY_SYMBOL, Character.MATH_SYMBOL, Character.OTHER_SYMBOL);

    private TokenCharacters() {}

    /** null where every character is kept. */
    static IntPredicate of(Settings options) {
        List<String> classes = options.getAsList("token_chars");
        if (classes.isEmpty()) {
            return null;
        }
        return classes.stream().map(name -> named(name, options)).reduce(IntPredicate::or).orElseThrow();
    }

    private static IntPredicate named(String name, Settings options) {
        return switch (name.trim().toLowerCase(Locale.ROOT)) {
            case "letter" -> Character::isLetter;
            case "digit" -> Character::isDigit;
            case "whitespace" -> Character::isWhitespace;
            case "punctuation" -> character -> PUNCTUATION.contains((byte) Character.getType(character));
            case "symbol" -> character -> SYMBOLS.contains((byte) Character.getType(character));
            case "custom" -> custom(options.get("custom_token_chars"));
            default -> throw new IllegalArgumentException("Unknown token type: '" + name + "'");
        };
    }

    private static IntPredicate custom(String characters) {
        if (characters == null) {
            throw new IllegalArgumentException("Token type: 'custom' requires setting `custom_token_chars`");
        }
        return character -> characters.indexOf(character) >= 0;
    }
}
