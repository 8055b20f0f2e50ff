//! Renders a verification as a self-contained HTML page without scripts.

mod diff;
mod fields;
mod finding;
mod kinds;
mod lines;
mod markup;
mod matching;
mod parts;
mod window;

use std::io::{self, Write};
use std::path::Path;

use chunkmigrate::record::KindSet;
use chunkmigrate::verify::{Values, VerifyReport};
use maud::{Markup, PreEscaped, html};

use self::finding::write_findings;
use self::kinds::counts_of_leg;
use self::markup::{Page, Text};
use super::report::verify_outcome::{self_test, sentence, word};
use super::term::terminal_escape::escaped;

/// Blocks loading and scripts, whatever the data contains.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Writes the page of a verification, after its doctype.
pub(super) fn write_page(
    out: &mut dyn Write,
    report: &VerifyReport,
    values: Values,
) -> io::Result<()> {
    let page = &mut Page::new(out);
    page.write(html! {
        (PreEscaped("<html lang=\"en\">\n"))
        head {
            "\n" meta charset="utf-8";
            "\n" meta http-equiv="Content-Security-Policy" content=(POLICY);
            "\n" meta name="viewport" content="width=device-width, initial-scale=1";
            "\n" meta name="color-scheme" content="light dark";
            "\n" title { (Text(title(report))) }
            "\n" style { "\n" (PreEscaped(include_str!("style.css"))) } "\n"
        }
        (PreEscaped("\n<body>\n<main>\n"))
        (verdict(report, values))
        section {
            "\n" h2 { "Records" } "\n"
            @for leg in &report.legs { (counts_of_leg(leg)) }
        } "\n"
    })?;
    write_findings(page, report, values)?;
    page.write(html! {
        @if let Some((detected, names)) = self_test(report) {
            section {
                "\n" h2 { "Self-test" }
                "\n" p { (Text(detected)) }
                "\n" p.detected { (Text(names)) } "\n"
            } "\n"
        }
        (PreEscaped("</main>\n</body>\n</html>\n"))
    })
}

/// The verdict and the names of the first and the last store. A title contains no elements, so
/// escapes in it are not highlighted.
fn title(report: &VerifyReport) -> String {
    let legs = &report.legs;
    let left = legs.first().map(|leg| &leg.left);
    let right = legs.last().map(|leg| &leg.right);
    let name = |path: &Path| {
        let name = path.file_name().unwrap_or_default();
        escaped(&name.to_string_lossy()).into_owned()
    };
    let names = [left, right].into_iter().flatten();
    let names: Vec<String> = names.map(|store| name(&store.path)).collect();
    match names.as_slice() {
        [] => word(report).to_owned(),
        names => format!("{}: {}", word(report), names.join(", ")),
    }
}

fn verdict(report: &VerifyReport, values: Values) -> Markup {
    let verdict = word(report);
    let only = report.only.iter().filter(|_| report.only != KindSet::ALL);
    html! {
        header class=(verdict.to_lowercase()) {
            "\n" h1 {
                strong { (verdict) span.colon { ":" } } " " (Text(sentence(report)))
            }
            "\n" p {
                "chunkmigrate " (env!("CARGO_PKG_VERSION")) " verify"
                @for (nth, kind) in only.enumerate() {
                    (if nth == 0 { " --only " } else { "," }) (kind.name())
                }
                @if report.quick { " --quick" }
                @if report.strict { " --strict" }
                @for column in &report.without_columns { " --without-column " (Text(column)) }
                (match values {
                    Values::Full => " --values full",
                    Values::Short => "",
                    Values::Redacted => " --values redacted",
                })
            } "\n"
        } "\n"
    }
}
