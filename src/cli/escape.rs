//! Text that comes from data, made safe for a terminal.

use std::borrow::Cow;
use std::path::Path;

/// Replaces control and format characters (bidi controls included) by `\u{…}`, `\n`, `\t` and the
/// like. Everything else, combining marks too, stays.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().map(|char| match is_plain(char) {
        true => char.to_string(),
        false => char.escape_debug().to_string(),
    });
    Cow::Owned(escaped.collect())
}

/// A path, made safe; what is not UTF-8 in it shows as a replacement character.
pub(super) fn escaped_path(path: &Path) -> String {
    escaped(&path.to_string_lossy()).into_owned()
}

fn is_plain(char: char) -> bool {
    // A mark that combines is escaped where it stands alone, but not behind a letter.
    let behind_a_letter: String = ['a', char].iter().collect();
    matches!(char, '"' | '\'' | '\\') || behind_a_letter.escape_debug().count() == 2
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn control_and_format_characters_never_reach_a_terminal() {
        let text = "a\u{1b}[31m\u{9b}\u{202e}\u{2066}\u{200b}\u{feff}\u{2028}\r\n\t\u{7f}\0";
        assert_eq!(
            escaped(text),
            "a\\u{1b}[31m\\u{9b}\\u{202e}\\u{2066}\\u{200b}\\u{feff}\\u{2028}\\r\\n\\t\\u{7f}\\0"
        );
    }

    #[test]
    fn letters_marks_quotes_and_emoji_stay() {
        let text = "cafe\u{301} \"naïve\" 'x' C:\\dir 日本語 😀";
        assert_eq!(escaped(text), text);
    }
}
