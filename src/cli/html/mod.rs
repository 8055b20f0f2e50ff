//! Renders a verification as a self-contained HTML page, which is complete without its one script.

mod code_points;
mod diff;
mod fields;
mod filter;
mod finding;
mod groups;
mod kinds;
mod lines;
mod markup;
mod matching;
mod parts;
mod record;
mod window;

use std::io::{self, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chunkmigrate::record::KindSet;
use chunkmigrate::verify::{Digest, Finding, Values, VerifyReport};
use maud::{Markup, PreEscaped, html};

use self::filter::Filter;
use self::finding::findings_section;
use self::kinds::counts_of_leg;
use self::markup::Text;
use super::after_verify::after_verify;
use super::report::findings::first_of_each_class;
use super::report::verify_outcome::{self_test, sentence, word};
use super::term::terminal_escape::escaped;

/// Searches the page and moves between its findings.
const SCRIPT: &str = include_str!("search.js");

/// Blocks loading and all scripts but one, whatever the data contains.
fn policy() -> String {
    let script = STANDARD.encode(Digest::of(SCRIPT).0);
    format!("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{script}'")
}

/// Writes the page of a verification, after its doctype, with up to `limit` findings of each class.
pub(super) fn write_page(
    out: &mut dyn Write,
    report: &VerifyReport,
    values: Values,
    limit: usize,
) -> io::Result<()> {
    let mut is_first = first_of_each_class(limit);
    let findings: Vec<&Finding> = report.findings.iter().filter(|f| is_first(f)).collect();
    let filter = Filter::new(report.counts());
    let page = html! {
        html lang="en" {
            "\n" head {
                "\n" meta charset="utf-8";
                "\n" meta http-equiv="Content-Security-Policy" content=(policy());
                "\n" meta name="viewport" content="width=device-width, initial-scale=1";
                "\n" meta name="color-scheme" content="light dark";
                "\n" title { (Text(title(report))) }
                "\n" style {
                    "\n" (PreEscaped(include_str!("style.css"))) (PreEscaped(filter.rules()))
                } "\n"
            }
            "\n" body {
                "\n" main {
                    "\n" (verdict(report, values))
                    (next(report))
                    section {
                        "\n" h2 { "Records" } "\n"
                        @for leg in &report.legs { (counts_of_leg(leg)) }
                    } "\n"
                    @if report.counts().total() > 0 {
                        (findings_section(report, &findings, &filter, values))
                    }
                    @if let Some((detected, names)) = self_test(report) {
                        section {
                            "\n" h2 { "Self-test" }
                            "\n" p { (Text(detected)) }
                            "\n" p.detected { (Text(names)) } "\n"
                        } "\n"
                    }
                }
                "\n" script { (PreEscaped(SCRIPT)) } "\n"
            } "\n"
        } "\n"
    };
    out.write_all(page.into_string().as_bytes())
}

/// What to do next, in the words of the terminal.
fn next(report: &VerifyReport) -> Markup {
    let step = after_verify(report);
    html! {
        @if let Some(step) = step {
            section.next {
                "\n"
                @for (nth, (what, commands)) in step.steps().enumerate() {
                    p { @if nth == 0 { strong { "Next:" } " " } (Text(what)) } "\n"
                    @for command in commands { pre { code { (Text(command)) } } "\n" }
                }
            } "\n"
        }
    }
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
