//! Tests that need something a machine may lack: a browser, databases that Magellan wrote, a tool.
//! If it is missing they are ignored, and the reason is reported; with `CHUNKMIGRATE_REQUIRE`, a
//! list such as `browser,samples,duckdb`, they fail instead.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod browser;
#[allow(dead_code, reason = "what the tests of `runner` need is in it too")]
#[path = "../common/mod.rs"]
mod common;
mod html_browser;
mod need;
mod recipes;
mod samples;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Trial};

use need::Need;

struct Test {
    name: &'static str,
    need: Need,
    /// Why only the deep tests include it, if so.
    ignored: Option<&'static str>,
    run: fn(),
}

macro_rules! tests {
    ($($(#[ignore = $why:literal])? $module:ident::$name:ident needs $need:expr;)*) => {
        [$(Test {
            name: concat!(stringify!($module), "::", stringify!($name)),
            need: $need,
            ignored: [$($why)?].first().copied(),
            run: $module::$name,
        }),*]
    };
}

/// All tests; the compiler warns about one that is not in the list.
fn tests() -> impl Iterator<Item = Test> {
    use Need::{Browser, Sample, Samples, Tool};

    let tests = tests! {
        #[ignore = "deep: starts a browser"]
        html_browser::the_page_opens_without_console_messages needs Browser;
        #[ignore = "deep: starts a browser"]
        html_browser::the_counts_are_on_the_page needs Browser;
        #[ignore = "deep: starts a browser"]
        html_browser::a_bar_is_as_long_as_its_count needs Browser;
        #[ignore = "deep: starts a browser"]
        html_browser::a_hostile_path_is_rendered_as_text needs Browser;
        #[ignore = "deep: starts a browser"]
        html_browser::no_element_is_wider_than_a_small_phone needs Browser;
        #[ignore = "deep: starts a browser"]
        html_browser::sides_are_side_by_side_and_stacked_on_a_phone needs Browser;
        #[ignore = "deep: starts a browser"]
        html_browser::boxes_hide_findings_without_a_script needs Browser;
        #[ignore = "deep: starts a browser"]
        html_browser::keys_search_and_move_between_findings needs Browser;
        recipes::the_recipes_of_duckdb_print_what_the_document_says needs Tool("duckdb");
        recipes::the_recipes_of_jq_print_what_the_document_says needs Tool("jq");
        recipes::the_recipes_of_sqlite_print_what_the_document_says needs Tool("sqlite3");
        samples::every_real_database_is_copied_completely_and_stays_unchanged needs Samples;
        samples::every_real_database_survives_a_round_trip_row_by_row needs Samples;
        samples::every_real_database_is_carried_whole needs Samples;
        samples::records_are_merged_back_into_every_real_database needs Samples;
        samples::metrics_of_one_index_run_are_not_merged_into_another
            needs Sample(&["code-4.7.2.db", "code-4.7.2-again.db"]);
        samples::a_search_finds_what_was_merged needs Sample(&["code-3.3.8-to-21.db"]);
    };
    tests.into_iter()
}

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let required = need::required();
    let runs_ignored = args.ignored || args.include_ignored;
    let trials = tests().map(|test| {
        let is_required = required.iter().any(|name| name == test.need.name());
        let ignored = test.ignored.filter(|_| !runs_ignored);
        let trial = Trial::ignorable_test(test.name, move || {
            if let Some(why) = ignored {
                return Ok(Completion::ignored_with(why));
            }
            match test.need.is_met() {
                Err(missing) if is_required => Err(missing.into()),
                Err(missing) => Ok(Completion::ignored_with(missing)),
                Ok(()) => {
                    (test.run)();
                    Ok(Completion::Completed)
                }
            }
        });
        // The reason of an ignored test would not be reported otherwise.
        trial.with_ignored_flag(runs_ignored && test.ignored.is_some())
    });
    libtest_mimic::run(&args, trials.collect()).exit_code()
}
