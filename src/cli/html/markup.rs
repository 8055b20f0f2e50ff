//! Writes a page from two kinds of input: markup, which is part of the program, and text from data.

use std::io::{self, Write};
use std::path::Path;

use indicatif::HumanCount;

use crate::cli::term::terminal_escape::{escaped, is_plain};

/// Size in bytes at which a page is full.
const PAGE_BYTES: usize = 16 << 20;

/// Writes an HTML page.
pub(super) struct Html<'o> {
    out: &'o mut dyn Write,
    written: usize,
}

impl<'o> Html<'o> {
    pub(super) fn new(out: &'o mut dyn Write) -> Self {
        Html { out, written: 0 }
    }

    /// Whether the page is full and takes no more findings, and no more lines of one.
    pub(super) fn is_full(&self) -> bool {
        self.written >= PAGE_BYTES
    }

    /// Writes markup. Data is never `'static`, so it can't be passed as markup by mistake.
    pub(super) fn markup(&mut self, markup: &'static str) -> io::Result<()> {
        self.write(markup)
    }

    /// Writes a text. Control and format characters are written as highlighted escapes, to
    /// distinguish them from text that looks like an escape.
    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        let mut rest = text;
        let mut first = true;
        while !rest.is_empty() {
            let visible = |char: char| is_plain(char) && !(first && combines(char));
            let shown = rest.chars().next().is_some_and(visible);
            let end = match shown {
                true => rest.find(|char| !is_plain(char)),
                false => rest.find(is_plain).map(|end| end.max(first_char(rest))),
            };
            let (run, tail) = rest
                .split_at_checked(end.unwrap_or(rest.len()))
                .unwrap_or((rest, ""));
            match shown {
                true => self.characters(run)?,
                false => self.escapes(run)?,
            }
            rest = tail;
            first = false;
        }
        Ok(())
    }

    /// Writes a text where elements are not allowed, such as in a title.
    pub(super) fn bare_text(&mut self, text: &str) -> io::Result<()> {
        self.characters(&escaped(text))
    }

    /// Writes a path; bytes that are not UTF-8 become replacement characters.
    pub(super) fn path(&mut self, path: &Path) -> io::Result<()> {
        self.text(&path.to_string_lossy())
    }

    pub(super) fn number(&mut self, number: u64) -> io::Result<()> {
        self.write(&HumanCount(number).to_string())
    }

    /// Writes a number without separators, for an attribute.
    pub(super) fn plain_number(&mut self, number: u64) -> io::Result<()> {
        self.write(&number.to_string())
    }

    fn escapes(&mut self, run: &str) -> io::Result<()> {
        for tabs in run.split_inclusive('\t') {
            let (run, tab) = match tabs.strip_suffix('\t') {
                Some(run) => (run, true),
                None => (tabs, false),
            };
            if !run.is_empty() {
                self.markup("<span class=\"esc\">")?;
                for char in run.chars() {
                    self.write(&char.escape_debug().to_string())?;
                }
                self.markup("</span>")?;
            }
            if tab {
                self.markup("<span class=\"esc tab\">\\t</span>")?;
            }
        }
        Ok(())
    }

    fn characters(&mut self, text: &str) -> io::Result<()> {
        let mut rest = text;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            let (plain, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
            self.write(plain)?;
            let mut chars = tail.chars();
            self.write(match chars.next() {
                Some('&') => "&amp;",
                Some('<') => "&lt;",
                Some('>') => "&gt;",
                Some('"') => "&quot;",
                _ => "&#39;",
            })?;
            rest = chars.as_str();
        }
        self.write(rest)
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.written += text.len();
        self.out.write_all(text.as_bytes())
    }
}

fn first_char(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// Whether a character would combine with the preceding one, which may be markup.
fn combines(char: char) -> bool {
    !char.is_ascii() && char.escape_debug().count() > 1
}

#[cfg(test)]
mod tests {
    use super::Html;

    fn text(text: &str) -> String {
        let mut out = Vec::new();
        Html::new(&mut out).text(text).unwrap();
        String::from_utf8(out).unwrap()
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
        assert_eq!(
            text("a\0\u{202e}b"),
            format!("a{}b", marked("\\0\\u{202e}"))
        );
        assert_eq!(text("\\u{202e}"), "\\u{202e}");
        assert_eq!(
            text("\t\r"),
            format!("<span class=\"esc tab\">\\t</span>{}", marked("\\r"))
        );
    }

    #[test]
    fn combining_marks_combine_only_with_letters() {
        assert_eq!(text("e\u{301}\u{302}"), "e\u{301}\u{302}");
        assert_eq!(text("\u{301}e"), "<span class=\"esc\">\\u{301}</span>e");
        assert_eq!(
            text("\u{301}\u{302}"),
            "<span class=\"esc\">\\u{301}</span>\u{302}"
        );
    }
}
