//! The numbers of findings by class and kind, whose boxes hide findings without a script.

use std::fmt::Write as _;

use chunkmigrate::table::Kind;
use chunkmigrate::verify::{Finding, FindingClass, FindingCounts};
use maud::{Markup, html};

use super::markup::{Text, number};
use crate::cli::report::advice::advice;
use crate::cli::term::terminal_escape::escaped;

/// A table of all findings, with a box for each class and each kind.
pub(super) struct Filter {
    counts: FindingCounts,
    classes: Vec<FindingClass>,
    /// The kinds; `None` for what concerns all of them.
    kinds: Vec<Option<Kind>>,
}

impl Filter {
    pub(super) fn new(counts: FindingCounts) -> Self {
        let has = |class: &FindingClass| counts.iter().any(|(of, ..)| of == *class);
        let classes = FindingClass::ALL.into_iter().filter(has).collect();
        let mut kinds: Vec<_> = counts.iter().map(|(_, kind, _)| kind.cloned()).collect();
        kinds.sort_by_key(|kind| (kind.is_none(), kind.clone()));
        kinds.dedup();
        Filter { counts, classes, kinds }
    }

    /// The CSS class of a finding, which stands for its class and its kind.
    pub(super) fn tag(&self, finding: &Finding) -> String {
        let mut cells = self.counts.iter();
        let is_own = |(class, kind, _): (FindingClass, Option<&Kind>, u64)| {
            (class, kind) == (finding.class, finding.kind.as_ref())
        };
        cells.position(is_own).map(|cell| format!("f{cell}")).unwrap_or_default()
    }

    /// The CSS classes of some findings, each once.
    pub(super) fn tags<'f>(&self, findings: impl Iterator<Item = &'f Finding>) -> String {
        let mut tags: Vec<String> = findings.map(|finding| self.tag(finding)).collect();
        tags.sort();
        tags.dedup();
        tags.join(" ")
    }

    /// The CSS that shows the findings whose class and kind are checked.
    pub(super) fn rules(&self) -> String {
        let mut rules = String::new();
        if !self.has_boxes() {
            return rules;
        }
        rules.push_str(
            "@supports selector(:has(*)) {\n\
             .groups :is(details, article, .finding) { display: none; }\n",
        );
        for (cell, (class, kind, _)) in self.counts.iter().enumerate() {
            let row = self.classes.iter().position(|of| *of == class).unwrap_or_default();
            let column = self.kinds.iter().position(|of| of.as_ref() == kind).unwrap_or_default();
            // Writing to a string does not fail.
            let _ = writeln!(
                rules,
                ".filter:has(#c{row}:checked):has(#k{column}:checked) ~ .groups .f{cell} \
                 {{ display: block; }}"
            );
        }
        rules.push_str("}\n");
        rules
    }

    /// Whether there is anything to choose from.
    fn has_boxes(&self) -> bool {
        self.classes.len() + self.kinds.len() > 2
    }

    /// The table; `shown` is the number of findings of a class that the page shows.
    pub(super) fn table(&self, shown: impl Fn(FindingClass) -> u64) -> Markup {
        let of_class = |class| self.sum(|of, _| of == class);
        let has_all = self.classes.iter().all(|class| shown(*class) == of_class(*class));
        html! {
            form.filter method="dialog" autocomplete="off" {
                "\n" table.matrix {
                    "\n" caption {
                        "Findings by class and kind"
                        @if self.has_boxes() { ". Clear a box to hide its findings." }
                    }
                    "\n" thead { tr {
                        th scope="col" { "class" }
                        @for (nth, kind) in self.kinds.iter().enumerate() {
                            th scope="col" { (self.check('k', nth, &kind_name(kind.as_ref()))) }
                        }
                        th scope="col" { "total" }
                        @if !has_all { th scope="col" { "on this page" } }
                    } }
                    "\n" tbody {
                        "\n" @for (nth, class) in self.classes.iter().enumerate() {
                            tr {
                                th scope="row" {
                                    (self.check('c', nth, class.name()))
                                    @if class.is_warning() { " " span.warning { "warning" } }
                                    " " span.advice { (Text(advice(*class))) }
                                }
                                @for kind in &self.kinds {
                                    @let kind = kind.as_ref();
                                    @let count = self.sum(|of, its| (of, its) == (*class, kind));
                                    (cell(&kind_name(kind), count))
                                }
                                (cell("total", of_class(*class)))
                                @if !has_all {
                                    td {
                                        (number(shown(*class))) " of " (number(of_class(*class)))
                                        " shown"
                                    }
                                }
                            } "\n"
                        }
                    }
                    @if self.has_boxes() {
                        "\n" tfoot { tr {
                            th scope="row" { "total" }
                            @for kind in &self.kinds {
                                @let kind = kind.as_ref();
                                (cell(&kind_name(kind), self.sum(|_, its| its == kind)))
                            }
                            (cell("total", self.counts.total()))
                            @if !has_all { td {} }
                        } }
                    } "\n"
                } "\n"
                @if self.has_boxes() { button type="reset" { "Show all" } "\n" }
            } "\n"
        }
    }

    fn sum(&self, is_counted: impl Fn(FindingClass, Option<&Kind>) -> bool) -> u64 {
        let cells = self.counts.iter().filter(|(class, kind, _)| is_counted(*class, *kind));
        cells.map(|(.., count)| count).sum()
    }

    fn check(&self, axis: char, nth: usize, name: &str) -> Markup {
        html! {
            @if self.has_boxes() {
                label { input type="checkbox" id={ (axis) (nth) } checked; " " (Text(name)) }
            } @else {
                (Text(name))
            }
        }
    }
}

fn cell(label: &str, count: u64) -> Markup {
    html! {
        @if count == 0 { td {} } @else { td data-label=(escaped(label)) { (number(count)) } }
    }
}

fn kind_name(kind: Option<&Kind>) -> String {
    kind.map_or_else(|| "all kinds".to_owned(), ToString::to_string)
}
