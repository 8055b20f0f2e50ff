//! The findings, grouped by class.

use std::io;

use chunkmigrate::verify::{Finding, FindingClass, FindingCounts, Side};
use chunkmigrate::verify::{Values, VerifyReport};
use maud::{Markup, PreEscaped, html};

use super::fields::{DiffLimits, write_fields};
use super::lines::parts;
use super::markup::{Page, Text, number};
use super::parts::Part;
use crate::cli::report::advice::advice;
use crate::cli::report::findings::{class_says_all, key, kind};
use crate::cli::report::pluralize::plural;
use crate::cli::report::verify_outcome::more_findings;

/// Maximum number of bytes of a key or a message to show.
const LINE_BYTES: usize = 4 << 10;

/// Writes the findings in the report, and how to get the others.
pub(super) fn write_findings(
    page: &mut Page<'_>,
    report: &VerifyReport,
    values: Values,
) -> io::Result<()> {
    let findings = report.findings.as_slice();
    if findings.is_empty() && more_findings(report, 0).is_none() {
        return Ok(());
    }
    let of_class = |class| findings.iter().filter(move |f| f.class == class);
    let classes = FindingClass::ALL.into_iter();
    let classes: Vec<_> = classes.filter(|c| of_class(*c).next().is_some()).collect();
    let counts = report.counts();
    let has_contents = counts.iter().count() > 1 || more_findings(report, findings.len()).is_some();
    page.write(html! {
        (PreEscaped("<section>\n")) h2 { "Findings" } "\n"
        @if has_contents { (contents(&counts, &classes)) }
    })?;
    let mut shown = 0;
    for class in classes {
        page.write(html! {
            (PreEscaped("<section id=\"")) (class.name()) (PreEscaped("\">\n"))
            h3 { (class.name()) @if class.is_warning() { " " small { "warning" } } } "\n"
            p.advice { (Text(advice(class))) } "\n"
        })?;
        for finding in of_class(class) {
            if !page.is_full() {
                write_finding(page, finding, values)?;
                shown += 1;
            }
        }
        page.write(PreEscaped("</section>\n".to_owned()))?;
    }
    page.write(html! {
        @if let Some(more) = more_findings(report, shown) { p.more { (Text(more)) } "\n" }
        (PreEscaped("</section>\n"))
    })
}

/// The number of findings of each class and kind, with links to the classes shown.
fn contents(counts: &FindingCounts, shown: &[FindingClass]) -> Markup {
    let of_class = |class| counts.iter().filter(move |(of, ..)| *of == class);
    let total = |class| of_class(class).map(|(.., count)| count).sum::<u64>();
    let classes = FindingClass::ALL.into_iter();
    html! {
        nav aria-label="Classes of findings" { ul {
            "\n"
            @for class in classes.filter(|class| total(*class) > 0) {
                li {
                    @if shown.contains(&class) {
                        a href={ "#" (class.name()) } { (class.name()) }
                    } @else {
                        (class.name())
                    }
                    " " (number(total(class)))
                    @if class.is_warning() { (plural(total(class), " warning", " warnings")) }
                    @for (nth, (_, kind, count)) in of_class(class).enumerate() {
                        @if let Some(kind) = kind {
                            (if nth == 0 { ": " } else { ", " }) (kind) " " (number(count))
                        }
                    }
                } "\n"
            }
        } } "\n"
    }
}

fn write_finding(page: &mut Page<'_>, finding: &Finding, values: Values) -> io::Result<()> {
    let is_told = finding.kind.is_some() || finding.key.is_none();
    let about = [is_told.then(|| kind(finding)), finding.side.map(|side| side.name().to_owned())];
    let about: Vec<String> = about.into_iter().flatten().collect();
    page.write(html! {
        (PreEscaped("<article>\n"))
        h4 {
            @if let Some(key) = key(finding) { code { (shortened(&key)) } " " }
            small { (about.join(", ")) }
        } "\n"
        @if finding.class != FindingClass::Field && !class_says_all(finding.class) {
            p.message { (shortened(&finding.message)) } "\n"
        }
    })?;
    if finding.class == FindingClass::Field {
        write_fields(page, &finding.fields, DiffLimits::of(values))?;
    }
    page.write(PreEscaped("</article>\n".to_owned()))
}

fn shortened(text: &str) -> Markup {
    parts(Side::Left, &[Part::Shared(text)], LINE_BYTES)
}
