//! The findings, in groups that fold.

use std::collections::{BTreeMap, HashMap};

use chunkmigrate::verify::{Digest, Finding, FindingClass, Side, Values, VerifyReport};
use maud::{Markup, PreEscaped, html};

use super::fields::{DiffLimits, add_fields};
use super::filter::Filter;
use super::groups::{Card, Group, Subject, grouped};
use super::lines::parts;
use super::markup::{Page, Text, number};
use super::parts::Part;
use super::record::add_record;
use crate::cli::report::findings::{class_says_all, key, kind};
use crate::cli::report::pluralize::plural;
use crate::cli::report::verify_outcome::more_findings;

/// Maximum number of bytes of a key or a message to show.
const LINE_BYTES: usize = 4 << 10;

/// Groups are open if the page has no more findings.
const FEW: usize = 60;

/// Number of hexadecimal digits in the id of a finding.
const ID_DIGITS: usize = 12;

/// The section of the findings: their numbers, the search, the groups, and how to get the others.
pub(super) fn findings_section(
    report: &VerifyReport,
    findings: &[&Finding],
    filter: &Filter,
    values: Values,
) -> Markup {
    let mut cards = Cards {
        page: Page::default(),
        filter,
        limits: DiffLimits::of(values, findings.len()),
        ids: HashMap::new(),
        shown: BTreeMap::new(),
    };
    for group in grouped(findings) {
        cards.add_group(&group, findings.len() <= FEW);
    }
    let (groups, shown) = (cards.page.into_markup(), cards.shown);
    let total: u64 = shown.values().sum();
    let is_full = total < findings.len() as u64;
    let option = (!is_full).then_some("--html-limit");
    let more = more_findings(report, usize::try_from(total).unwrap_or(usize::MAX), option);
    html! {
        section.findings {
            "\n" h2 { "Findings" } "\n"
            (filter.table(|class| shown.get(&class).copied().unwrap_or_default()))
            @if total > 1 { (search()) }
            div.groups { "\n" (groups) } "\n"
            @if let Some(more) = more { p.more { (Text(more)) } "\n" }
        } "\n"
    }
}

/// The search field, which the script shows.
fn search() -> Markup {
    html! {
        div.search role="search" hidden {
            label { "Search " input type="search" placeholder="path, key or text"; }
            " " output {}
            " " span.keys {
                kbd { "/" } " search, " kbd { "j" } " " kbd { "k" } " next and previous finding"
            }
        } "\n"
    }
}

struct Cards<'c> {
    page: Page,
    filter: &'c Filter,
    limits: DiffLimits,
    /// How often each id was used.
    ids: HashMap<String, u64>,
    shown: BTreeMap<FindingClass, u64>,
}

impl Cards<'_> {
    fn add_group(&mut self, group: &Group<'_>, is_open: bool) {
        if self.page.is_full() {
            return;
        }
        let count = group.findings().count() as u64;
        self.page.add(&html! {
            (PreEscaped("<details class=\"")) (self.filter.tags(group.findings()))
            (PreEscaped(if is_open { "\" open>\n" } else { "\">\n" }))
            summary {
                h3 { (title(&group.subject)) }
                " " small {
                    (number(count)) (plural(count, " finding", " findings")) ": " (classes(group))
                }
            } "\n"
        });
        for card in &group.cards {
            if !self.page.is_full() {
                self.add_card(card);
            }
        }
        self.page.add(&PreEscaped("</details>\n".to_owned()));
    }

    fn add_card(&mut self, card: &Card<'_>) {
        let Some(first) = card.first() else {
            return;
        };
        self.page.add(&html! {
            (PreEscaped("<article class=\""))
            (self.filter.tags(card.iter().copied()))
            (PreEscaped("\">\n"))
            h4 { (shortened(&key(first).unwrap_or_else(|| kind(first).into()))) } "\n"
        });
        for finding in card {
            self.add_finding(finding);
        }
        self.page.add(&PreEscaped("</article>\n".to_owned()));
    }

    fn add_finding(&mut self, finding: &Finding) {
        *self.shown.entry(finding.class).or_default() += 1;
        let id = self.id(finding);
        let class = finding.class;
        let has_message = class != FindingClass::Field && !class_says_all(class);
        self.page.add(&html! {
            (PreEscaped("<div class=\"finding ")) (self.filter.tag(finding))
            (PreEscaped("\" id=\"")) (id) (PreEscaped("\">"))
            p {
                a.class.warning[class.is_warning()] href={ "#" (id) } { (class.name()) }
                @if has_message {
                    @if let Some(side) = finding.side { " " (side.name()) ":" }
                    " " (shortened(&finding.message))
                }
            }
        });
        add_record(&mut self.page, &finding.record, self.limits);
        add_fields(&mut self.page, finding, self.limits);
        self.page.add(&PreEscaped("</div>\n".to_owned()));
    }

    /// An id that is the same on every page on which the finding is.
    fn id(&mut self, finding: &Finding) -> String {
        let row = finding.row.map(|row| (row.table, row.rowid));
        let kind = finding.kind.as_ref().map(ToString::to_string);
        let about = format!("{:?} {kind:?} {:?} {row:?}", finding.side, finding.key);
        let digest = Digest::of(about).to_string();
        let id = format!("{}-{}", finding.class, digest.get(..ID_DIGITS).unwrap_or_default());
        let uses = self.ids.entry(id.clone()).or_default();
        *uses += 1;
        match uses {
            1 => id,
            uses => format!("{id}-{uses}"),
        }
    }
}

fn title(subject: &Subject) -> Markup {
    html! {
        @match subject {
            Subject::Store => "Manifest and id sequences",
            Subject::File(path) if path.is_empty() => i { "empty path" },
            Subject::File(path) => code { (shortened(path)) },
            Subject::Kind(kind) => (kind.name()),
            Subject::Table(name) => { "table:" (shortened(name)) },
            Subject::UnknownKeys => "Unknown keys",
        }
    }
}

/// The number of findings of each class in a group.
fn classes(group: &Group<'_>) -> String {
    let mut counts = BTreeMap::new();
    for finding in group.findings() {
        *counts.entry(finding.class).or_insert(0_u64) += 1;
    }
    let is_one = counts.len() == 1;
    let counts = counts.into_iter().map(|(class, count)| match count {
        count if is_one || count == 1 => class.to_string(),
        _ => format!("{} {class}", number(count)),
    });
    counts.collect::<Vec<_>>().join(", ")
}

fn shortened(text: &str) -> Markup {
    parts(Side::Left, &[Part::Shared(text)], LINE_BYTES)
}
