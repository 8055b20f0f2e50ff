//! Text from data made visible and harmless, and the part of a page that grows with the data.

use indicatif::HumanCount;
use maud::{Markup, PreEscaped, Render};

use crate::cli::term::terminal_escape::is_plain;

/// Size in bytes at which a page is full.
const PAGE_BYTES: usize = 16 << 20;

/// The findings of a page, as far as they fit.
#[derive(Default)]
pub(super) struct Page(String);

impl Page {
    /// Whether the page is full and takes no more findings, and no more lines of one.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= PAGE_BYTES
    }

    pub(super) fn add(&mut self, markup: &Markup) {
        self.0.push_str(&markup.0);
    }

    pub(super) fn into_markup(self) -> Markup {
        PreEscaped(self.0)
    }
}

/// Text from data. Control and format characters become highlighted escapes, to distinguish them
/// from text that looks like an escape.
pub(super) struct Text<T>(pub(super) T);

impl<T: AsRef<str>> Render for Text<T> {
    fn render_to(&self, html: &mut String) {
        let mut in_escape = false;
        for (nth, char) in self.0.as_ref().chars().enumerate() {
            let is_shown = is_plain(char) && !(nth == 0 && combines(char));
            if in_escape && (is_shown || char == '\t') {
                html.push_str("</span>");
                in_escape = false;
            }
            match char {
                '&' => html.push_str("&amp;"),
                '<' => html.push_str("&lt;"),
                '>' => html.push_str("&gt;"),
                '"' => html.push_str("&quot;"),
                '\'' => html.push_str("&#39;"),
                '\t' => html.push_str("<span class=\"esc tab\">\\t</span>"),
                char if is_shown => html.push(char),
                char => {
                    if !in_escape {
                        html.push_str("<span class=\"esc\">");
                        in_escape = true;
                    }
                    html.extend(char.escape_debug());
                }
            }
        }
        if in_escape {
            html.push_str("</span>");
        }
    }
}

/// Whether a character would combine with the preceding one, which may be markup.
pub(super) fn combines(char: char) -> bool {
    !char.is_ascii() && char.escape_debug().count() > 1
}

/// A number with separators.
pub(super) fn number(number: u64) -> String {
    HumanCount(number).to_string()
}

#[cfg(test)]
mod tests {
    use maud::Render as _;

    use super::Text;

    fn text(text: &str) -> String {
        Text(text).render().into_string()
    }

    #[test]
    fn text_is_never_parsed_as_markup() {
        assert_eq!(
            text("<script>alert('&')</script>\"><img src=x onerror=y>]]>"),
            "&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;&quot;&gt;&lt;img src=x \
             onerror=y&gt;]]&gt;"
        );
    }

    #[test]
    fn invisible_characters_become_highlighted_escapes() {
        let marked = |escape: &str| format!("<span class=\"esc\">{escape}</span>");
        assert_eq!(text("a\0\u{202e}b"), format!("a{}b", marked("\\0\\u{202e}")));
        assert_eq!(text("\\u{202e}"), "\\u{202e}");
        assert_eq!(text("\t\r"), format!("<span class=\"esc tab\">\\t</span>{}", marked("\\r")));
    }

    #[test]
    fn combining_marks_combine_only_with_letters() {
        assert_eq!(text("e\u{301}\u{302}"), "e\u{301}\u{302}");
        assert_eq!(text("\u{301}e"), "<span class=\"esc\">\\u{301}</span>e");
        assert_eq!(text("\u{301}\u{302}"), "<span class=\"esc\">\\u{301}</span>\u{302}");
    }
}
