//! The page of `verify --html` in a real browser.

use std::collections::BTreeSet;
use std::fs;

use crate::browser::Browser;
use crate::common::Scenario;
use crate::common::pages::{
    HOSTILE, PAGE, elements_of, verify, with_contents, with_every_class, without_script,
};

const DESKTOP: u32 = 1280;
/// The width of a small phone.
const PHONE: u32 = 360;

fn hostile() -> Scenario {
    let long = "x".repeat(300_000);
    with_contents(
        &format!("{HOSTILE}\nsame\n{long}a{long}"),
        &format!("</table><svg onload=alert(3)>\0\nsame\n{long}b{long}"),
    )
}

pub(crate) fn the_page_opens_without_console_messages() {
    let browser = Browser::find().unwrap();
    let every = with_every_class();
    let hostile = hostile();
    for (scenario, args, status) in [
        (&every, &["left.db", "right.kv"][..], 1),
        (&every, &[], 0),
        (&hostile, &["left.db", "right.db"], 1),
    ] {
        let _ = verify(scenario, args, status);
        let opened = browser.open(&scenario.path(PAGE));
        assert_eq!(opened.console, Vec::<String>::new(), "{args:?}");
        assert!(opened.dom.ends_with("</html>\n"), "{args:?}");
    }
    // The same browser does report what the page must not have.
    let page = fs::read_to_string(hostile.path(PAGE)).unwrap();
    for worse in [
        "<script>let a;</script>",
        "<img src=\"http://127.0.0.1:9/x.png\">",
        "<p onclick=\"alert(1)\">",
    ] {
        let page = page.replace("</body>", &format!("{worse}</body>"));
        fs::write(hostile.path("worse.html"), page).unwrap();
        let opened = browser.open(&hostile.path("worse.html"));
        assert_eq!(opened.console.len(), 1, "{worse}: {:?}", opened.console);
    }
}

pub(crate) fn the_counts_are_on_the_page() {
    let browser = Browser::find().unwrap();
    let scenario = with_every_class();
    let (_, page) = verify(&scenario, &["left.db", "right.kv"], 1);
    let args = ["verify", "left.db", "right.kv", "--format", "json"];
    let json = scenario.run(&args).expect_status(1).json();
    let question = "[...page.querySelectorAll('.kinds tr:not(.bar)')]
        .map(row => [...row.children].map(cell => cell.innerText).join()).join(';')";
    for width in [DESKTOP, PHONE] {
        let rows = browser.ask(&page, width, question);
        // Columns without a number are omitted.
        let header = "kind,left,right,equal,only left,only right,different";
        assert!(rows.starts_with(header), "{rows}");
        for kind in json["kinds"].as_array().unwrap() {
            let of_column = |column: &str| match &kind[column.replace(' ', "_").as_str()] {
                serde_json::Value::String(name) => name.clone(),
                number => number.to_string(),
            };
            let row: Vec<String> = header.split(',').map(of_column).collect();
            let row = row.join(",");
            assert!(rows.split(';').any(|found| found == row), "{row} in {rows}");
        }
    }
}

pub(crate) fn a_bar_is_as_long_as_its_count() {
    let browser = Browser::find().unwrap();
    let scenario = with_every_class();
    let invalid =
        "INSERT INTO file_metrics SELECT 'src/z.rs', symbol_count, 3.5, estimated_loc, fan_in,
         fan_out, complexity_score, last_updated FROM file_metrics LIMIT 1";
    scenario.change("left.db", invalid);
    let (_, page) = verify(&scenario, &["left.db", "right.kv", "--only", "file-metrics"], 1);
    let question = "[...page.querySelectorAll('.file-metrics .bar span')]
        .map(part => [part.className, part.getBoundingClientRect().width,
            view.getComputedStyle(part).backgroundColor + ' '
            + view.getComputedStyle(part).backgroundImage].join('|')).join(';')";
    let parts = browser.ask(&page, DESKTOP, question);
    let parts: Vec<Vec<&str>> = parts.split(';').map(|part| part.split('|').collect()).collect();
    let classes: Vec<&str> = parts.iter().map(|part| part[0]).collect();
    assert_eq!(classes, ["only-right", "different", "invalid"]);
    let width = |part: &[&str]| part[1].parse::<f64>().unwrap();
    let ratios = parts.iter().map(|part| (width(part) / width(&parts[0])).round());
    assert_eq!(ratios.collect::<Vec<_>>(), [1.0, 2.0, 1.0]);
    let looks: BTreeSet<&str> = parts.iter().map(|part| part[2]).collect();
    assert_eq!(looks.len(), parts.len(), "two parts look the same: {parts:?}");
    assert!(!looks.contains("rgba(0, 0, 0, 0) none"), "{parts:?}");
}

pub(crate) fn a_hostile_path_is_rendered_as_text() {
    let browser = Browser::find().unwrap();
    let scenario = hostile();
    let (_, page) = verify(&scenario, &["left.db", "right.db"], 1);
    let dom = browser.open(&scenario.path(PAGE)).dom;
    assert_eq!(elements_of(&dom), elements_of(&page));
    // Its own script is the only one.
    let question = "page.querySelectorAll('script, img, svg, [onerror], [onload]').length";
    assert_eq!(browser.ask(&page, DESKTOP, question), "1");
    // It reads as written, with escapes for invisible characters.
    let question = "[...page.querySelectorAll('h4')].map(key => key.textContent).join(' and ')";
    let keys = browser.ask(&page, DESKTOP, question);
    let path = HOSTILE.replace('\u{202e}', "\\u{202e}").replace('\u{1b}', "\\u{1b}");
    assert!(keys.contains(&format!("chunk:{path}:0:9")), "{keys}");
}

pub(crate) fn no_element_is_wider_than_a_small_phone() {
    let browser = Browser::find().unwrap();
    let every = with_every_class();
    let hostile = hostile();
    let question = "page.documentElement.scrollWidth + ' of ' + view.innerWidth";
    for (scenario, args, status) in [
        (&every, &["left.db", "right.kv"][..], 1),
        (&hostile, &["left.db", "right.db"], 1),
        (&hostile, &["left.db", "right.db", "--values", "redacted"], 1),
        (&every, &[], 0),
    ] {
        let (_, page) = verify(scenario, args, status);
        let fits = format!("{PHONE} of {PHONE}");
        assert_eq!(browser.ask(&page, PHONE, question), fits, "{args:?}");
        let wide = page.replace("</main>", "<div style=\"width:500px\">wide</div></main>");
        assert_ne!(browser.ask(&wide, PHONE, question), fits);
    }
}

pub(crate) fn sides_are_side_by_side_and_stacked_on_a_phone() {
    let browser = Browser::find().unwrap();
    let scenario = with_contents("same\none 1\n", "same\none 2\n");
    scenario.change("right.db", "UPDATE code_chunks SET symbol_name = 'other'");
    let (_, page) = verify(&scenario, &["left.db", "right.db"], 1);
    let question = "[['.fields td', 2, 3], ['.lines .x td', 2, 4]].map(([cell, ...columns]) => {
        const [left, right] = columns.map(column =>
            page.querySelector(`${cell}:nth-child(${column})`).getBoundingClientRect());
        return left.bottom <= right.top ? 'below' : left.right <= right.left ? 'right' : 'neither';
    }).join()";
    assert_eq!(browser.ask(&page, DESKTOP, question), "right,right");
    assert_eq!(browser.ask(&page, PHONE, question), "below,below");
    let question = "[...page.querySelectorAll('.lines tbody tr')]
        .map(row => [...row.children].filter(cell => cell.getClientRects().length)
            .map(cell => cell.textContent).join(' ')).join(';')";
    let lines = browser.ask(&page, PHONE, question);
    assert!(lines.starts_with("1 same;2 one 1 2 one 2"), "{lines}");
}

/// An expression: the class labels of the visible findings.
const VISIBLE: &str = "[...page.querySelectorAll('.finding .class')]
    .filter(label => label.getClientRects().length).map(label => label.textContent).join()";

pub(crate) fn boxes_hide_findings_without_a_script() {
    let browser = Browser::find().unwrap();
    let scenario = with_every_class();
    let (_, page) = verify(&scenario, &["left.db", "right.kv"], 1);
    let page = without_script(&page);
    let visible = |boxes: &[&str]| {
        let clicks = boxes.iter().map(|name| {
            format!(
                "[...page.querySelectorAll('label')].find(label => label.innerText.trim() === '{name}')
                    .querySelector('input').click()"
            )
        });
        let steps: Vec<String> = clicks.chain([VISIBLE.to_owned()]).collect();
        browser.ask(&page, DESKTOP, &format!("({})", steps.join(",")))
    };
    let all = visible(&[]);
    let count = |shown: &str, class: &str| shown.split(',').filter(|of| *of == class).count();
    assert!(count(&all, "field") == 1 && count(&all, "manifest") == 3, "{all}");
    let without = visible(&["manifest"]);
    assert_eq!(without, all.replace("manifest,", ""));
    // The boxes of a class and of a kind work together.
    let few = visible(&["chunk", "only-left"]);
    assert_eq!((count(&few, "only-left"), count(&few, "undecodable")), (0, 0), "{few}");
    assert_eq!(visible(&["field", "field"]), all);
}

pub(crate) fn keys_search_and_move_between_findings() {
    let browser = Browser::find().unwrap();
    let scenario = with_every_class();
    let (_, page) = verify(&scenario, &["left.db", "right.kv"], 1);
    let ask = |steps: &str, answer: &str| {
        let question = format!(
            "(() => {{
                const press = key => page.dispatchEvent(
                    new view.KeyboardEvent('keydown', {{ key, bubbles: true, cancelable: true }}));
                const search = text => {{
                    const input = page.querySelector('.search input');
                    input.value = text;
                    input.dispatchEvent(new view.Event('input'));
                }};
                {steps};
                return {answer};
            }})()"
        );
        browser.ask(&page, DESKTOP, &question)
    };
    assert_eq!(ask("press('/')", "page.activeElement.type"), "search");
    let focused = "[...page.querySelectorAll('.finding .class')].indexOf(page.activeElement)";
    assert_eq!(ask("press('j')", focused), "0");
    assert_eq!(ask("press('j'); press('j'); press('j'); press('k')", focused), "1");
    let all = ask("", VISIBLE);
    let found = ask("search('SRC/NEW.rs')", VISIBLE);
    assert_eq!(found, "only-right", "{all}");
    assert_eq!(ask("search('src/new.rs'); search('')", VISIBLE), all);
    // Findings that are hidden are skipped.
    let steps = "search('src/new.rs'); press('j')";
    let key = "page.activeElement.closest('article').querySelector('h4').innerText";
    assert_eq!(ask(steps, key), "metrics:file:src/new.rs");
}
