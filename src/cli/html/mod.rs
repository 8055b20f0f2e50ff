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

use self::finding::write_findings;
use self::kinds::write_leg;
use self::markup::Html;
use super::report::verify_outcome::{self_test, sentence, word};

/// The content security policy blocks loading and scripts, whatever the data contains.
const HEAD: &str = "\
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>";

/// Writes the page of a verification, after its doctype.
pub(super) fn write_page(
    out: &mut dyn Write,
    report: &VerifyReport,
    values: Values,
) -> io::Result<()> {
    let html = &mut Html::new(out);
    html.markup(HEAD)?;
    write_title(html, report)?;
    html.markup("</title>\n<style>\n")?;
    html.markup(include_str!("style.css"))?;
    html.markup("</style>\n</head>\n<body>\n<main>\n")?;
    write_verdict(html, report, values)?;
    html.markup("<section>\n<h2>Records</h2>\n")?;
    for leg in &report.legs {
        write_leg(html, leg, report.only)?;
    }
    html.markup("</section>\n")?;
    write_findings(html, report, values)?;
    if let Some((detected, names)) = self_test(report) {
        html.markup("<section>\n<h2>Self-test</h2>\n<p>")?;
        html.text(&detected)?;
        html.markup("</p>\n<p class=\"detected\">")?;
        html.text(&names)?;
        html.markup("</p>\n</section>\n")?;
    }
    html.markup("</main>\n</body>\n</html>\n")
}

/// Writes the verdict and the names of the first and the last store.
fn write_title(html: &mut Html<'_>, report: &VerifyReport) -> io::Result<()> {
    html.markup(word(report))?;
    let legs = &report.legs;
    let stores = [
        legs.first().map(|leg| &leg.left),
        legs.last().map(|leg| &leg.right),
    ];
    let name = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    for (store, before) in stores.into_iter().flatten().zip([": ", ", "]) {
        html.markup(before)?;
        html.bare_text(&name(&store.path).unwrap_or_default())?;
    }
    Ok(())
}

fn write_verdict(html: &mut Html<'_>, report: &VerifyReport, values: Values) -> io::Result<()> {
    html.markup(match report.is_identical() {
        true => "<header class=\"identical\">\n<h1><strong>",
        false => "<header class=\"diverged\">\n<h1><strong>",
    })?;
    html.markup(word(report))?;
    html.markup("<span class=\"colon\">:</span></strong> ")?;
    html.text(&sentence(report))?;
    html.markup("</h1>\n<p>chunkmigrate ")?;
    html.markup(env!("CARGO_PKG_VERSION"))?;
    html.markup(" verify")?;
    let only = report.only.iter().filter(|_| report.only != KindSet::ALL);
    for (nth, kind) in only.enumerate() {
        html.markup(if nth == 0 { " --only " } else { "," })?;
        html.markup(kind.name())?;
    }
    html.markup(if report.quick { " --quick" } else { "" })?;
    html.markup(if report.strict { " --strict" } else { "" })?;
    for column in &report.without_columns {
        html.markup(" --without-column ")?;
        html.text(column)?;
    }
    html.markup(match values {
        Values::Full => " --values full",
        Values::Short => "",
        Values::Redacted => " --values redacted",
    })?;
    html.markup("</p>\n</header>\n")
}
