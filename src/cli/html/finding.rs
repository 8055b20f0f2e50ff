//! The findings, grouped by class.

use std::io;

use chunkmigrate::verify::{Finding, FindingClass, FindingCounts, Side};
use chunkmigrate::verify::{Values, VerifyReport};

use super::fields::{DiffLimits, write_fields};
use super::lines::write_parts;
use super::markup::Html;
use super::parts::Part;
use crate::cli::report::advice::advice;
use crate::cli::report::findings::{class_says_all, key, kind};
use crate::cli::report::verify_outcome::more_findings;

/// Maximum number of bytes of a key or a message to show.
const LINE_BYTES: usize = 4 << 10;

/// Writes the findings in the report, and how to get the others.
pub(super) fn write_findings(
    html: &mut Html<'_>,
    report: &VerifyReport,
    values: Values,
) -> io::Result<()> {
    let findings = report.findings.as_slice();
    let of_class = |class| {
        findings
            .iter()
            .filter(move |finding| finding.class == class)
    };
    let classes = FindingClass::ALL.into_iter();
    let classes: Vec<_> = classes.filter(|c| of_class(*c).next().is_some()).collect();
    let mut shown = 0;
    if findings.is_empty() && more_findings(report, 0).is_none() {
        return Ok(());
    }
    html.markup("<section>\n<h2>Findings</h2>\n")?;
    let counts = report.counts();
    if counts.iter().count() > 1 || more_findings(report, findings.len()).is_some() {
        write_contents(html, &counts, &classes)?;
    }
    for class in classes {
        write_class(html, class)?;
        for finding in of_class(class) {
            if !html.is_full() {
                write_finding(html, finding, values)?;
                shown += 1;
            }
        }
        html.markup("</section>\n")?;
    }
    if let Some(more) = more_findings(report, shown) {
        html.markup("<p class=\"more\">")?;
        html.text(&more)?;
        html.markup("</p>\n")?;
    }
    html.markup("</section>\n")
}

/// Writes the number of findings of each class and kind, with links to the classes shown.
fn write_contents(
    html: &mut Html<'_>,
    counts: &FindingCounts,
    shown: &[FindingClass],
) -> io::Result<()> {
    html.markup("<nav aria-label=\"Classes of findings\"><ul>\n")?;
    for class in FindingClass::ALL {
        let of_class = || counts.iter().filter(|(of, ..)| *of == class);
        let total: u64 = of_class().map(|(.., count)| count).sum();
        if total == 0 {
            continue;
        }
        html.markup("<li>")?;
        match shown.contains(&class) {
            true => {
                html.markup("<a href=\"#")?;
                html.markup(class.name())?;
                html.markup("\">")?;
                html.markup(class.name())?;
                html.markup("</a> ")?;
            }
            false => {
                html.markup(class.name())?;
                html.markup(" ")?;
            }
        }
        html.number(total)?;
        html.markup(match (class.is_warning(), total) {
            (false, _) => "",
            (true, 1) => " warning",
            (true, _) => " warnings",
        })?;
        for (nth, (_, kind, count)) in of_class().enumerate() {
            let Some(kind) = kind else { continue };
            html.markup(if nth == 0 { ": " } else { ", " })?;
            html.markup(kind.name())?;
            html.markup(" ")?;
            html.number(count)?;
        }
        html.markup("</li>\n")?;
    }
    html.markup("</ul></nav>\n")
}

fn write_class(html: &mut Html<'_>, class: FindingClass) -> io::Result<()> {
    html.markup("<section id=\"")?;
    html.markup(class.name())?;
    html.markup("\">\n<h3>")?;
    html.markup(class.name())?;
    if class.is_warning() {
        html.markup(" <small>warning</small>")?;
    }
    html.markup("</h3>\n<p class=\"advice\">")?;
    html.text(advice(class))?;
    html.markup("</p>\n")
}

fn write_finding(html: &mut Html<'_>, finding: &Finding, values: Values) -> io::Result<()> {
    html.markup("<article>\n<h4>")?;
    if let Some(key) = key(finding) {
        html.markup("<code>")?;
        write_shortened(html, &key)?;
        html.markup("</code> ")?;
    }
    html.markup("<small>")?;
    let is_told = finding.kind.is_some() || finding.key.is_none();
    html.markup(if is_told { kind(finding) } else { "" })?;
    html.markup(if is_told && finding.side.is_some() {
        ", "
    } else {
        ""
    })?;
    html.markup(finding.side.map_or("", Side::name))?;
    html.markup("</small></h4>\n")?;
    if finding.class == FindingClass::Field {
        write_fields(html, &finding.fields, DiffLimits::of(values))?;
    } else if !class_says_all(finding.class) {
        html.markup("<p class=\"message\">")?;
        write_shortened(html, &finding.message)?;
        html.markup("</p>\n")?;
    }
    html.markup("</article>\n")
}

fn write_shortened(html: &mut Html<'_>, text: &str) -> io::Result<()> {
    write_parts(html, Side::Left, &[Part::Shared(text)], LINE_BYTES)
}
