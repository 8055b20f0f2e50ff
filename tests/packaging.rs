//! Archives, packages and the action fit the program.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::common::commands::commands;
use crate::common::{PROGRAM, Run, Scenario, without_time};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const VERSION: &str = env!("CARGO_PKG_VERSION");

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(name)).unwrap()
}

/// What the manifest says about the package.
fn package() -> Value {
    let mut cargo = Command::new(env!("CARGO"));
    let args = ["metadata", "--no-deps", "--format-version=1", "--offline"];
    let run = Run::of(cargo.current_dir(ROOT).args(args).output().unwrap()).expect_status(0);
    let packages = run.json()["packages"].as_array().unwrap().clone();
    packages.into_iter().find(|package| package["name"] == "chunkmigrate").unwrap()
}

/// The archive for a target named `any-target`, in `dist`.
fn archive(scenario: &Scenario) -> Run {
    // A small program, which is packed in no time.
    fs::write(scenario.path("program"), format!("#!/bin/sh\nexec '{PROGRAM}' \"$@\"\n")).unwrap();
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(scenario.path("program"), mode).unwrap();
    let script = format!("{ROOT}/packaging/archive");
    let mut shell = scenario.shell("bash", &[&script, "program", "any-target", "dist"]);
    Run::of(shell.output().unwrap()).expect_status(0)
}

/// The files that a path with at most one `*` in its last part matches.
fn matches(pattern: &Path) -> Vec<PathBuf> {
    let name = pattern.file_name().unwrap().to_str().unwrap();
    let Some((start, end)) = name.split_once('*') else {
        return vec![pattern.to_owned()];
    };
    let paths = fs::read_dir(pattern.parent().unwrap()).unwrap();
    let paths = paths.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with(start) && name.ends_with(end)
        })
        .collect()
}

#[test]
fn archive_and_packages_have_the_program_its_pages_and_completions() {
    let scenario = Scenario::new();
    let run = archive(&scenario);
    let name = format!("chunkmigrate-{VERSION}-any-target");
    assert!(run.stdout.ends_with(&format!("/dist/{name}.tar.gz\n")), "{run}");
    let list = scenario.shell("tar", &["-tzf", &format!("dist/{name}.tar.gz")]).output().unwrap();
    let list = Run::of(list).expect_status(0).stdout;
    let archived: BTreeSet<&str> = list.lines().collect();
    let pages: BTreeSet<String> = commands()
        .into_iter()
        .map(|command| [vec!["chunkmigrate".to_owned()], command].concat().join("-") + ".1")
        .collect();
    let files = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "docs/options.md"];
    let completions = ["chunkmigrate.bash", "_chunkmigrate", "chunkmigrate.fish"];
    let completions = completions.into_iter().chain(["chunkmigrate.elv", "chunkmigrate.ps1"]);
    let files = files.map(str::to_owned).into_iter();
    let files = files.chain(pages.iter().map(|page| format!("man/{page}")));
    for file in files.chain(completions.map(|file| format!("completions/{file}"))) {
        assert!(archived.contains(format!("{name}/{file}").as_str()), "no {file} in {list}");
    }

    let metadata = &package()["metadata"];
    let fill = |key: &str| {
        let template = metadata["binstall"][key].as_str().unwrap().to_owned();
        let values = [("name", "chunkmigrate"), ("bin", "chunkmigrate"), ("version", VERSION)];
        values
            .into_iter()
            .chain([("target", "any-target")])
            .fold(template, |text, (name, value)| text.replace(&format!("{{ {name} }}"), value))
    };
    assert!(fill("pkg-url").ends_with(&format!("/v{VERSION}/{name}.tar.gz")), "{metadata}");
    assert!(archived.contains(fill("bin-dir").as_str()), "{metadata}");

    let mut packaged = BTreeSet::new();
    for asset in metadata["deb"]["assets"].as_array().unwrap() {
        let source = asset[0].as_str().unwrap();
        if source == "target/release/chunkmigrate" {
            continue;
        }
        let root = if source.starts_with("dist/") { scenario.folder() } else { Path::new(ROOT) };
        let found = matches(&root.join(source));
        assert!(
            !found.is_empty() && found.iter().all(|path| path.is_file()),
            "{source}: {found:?}"
        );
        let names = found.iter().map(|path| path.file_name().unwrap().to_string_lossy());
        packaged.extend(names.map(|name| name.into_owned()));
    }
    assert!(packaged.is_superset(&pages), "{packaged:?}");
}

/// The scripts of the steps in a YAML file, each with the line before it that names the step.
fn scripts(yaml: &str) -> Vec<(String, String)> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut scripts = Vec::new();
    let mut step = "";
    let mut lines = yaml.lines().peekable();
    while let Some(line) = lines.next() {
        let field = line.trim_start().trim_start_matches("- ");
        if let Some(name) = field.strip_prefix("name: ") {
            step = name;
        }
        match field.strip_prefix("run: ") {
            Some("|") => {
                let mut script = String::new();
                let outside = indent(line);
                while let Some(line) = lines.next_if(|line| indent(line) > outside) {
                    script.push_str(line);
                    script.push('\n');
                }
                scripts.push((step.to_owned(), script));
            }
            Some(command) => scripts.push((step.to_owned(), command.to_owned())),
            None => {}
        }
    }
    scripts
}

fn action_step(name: &str) -> String {
    let scripts = scripts(&read("action.yml"));
    scripts.into_iter().find(|(step, _)| step == name).unwrap().1
}

/// Runs a script as a step of a workflow does.
fn step(scenario: &Scenario, script: &str, environment: &[(&str, &str)]) -> Run {
    let args = ["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script];
    let mut shell = scenario.shell("bash", &args);
    for (name, file) in
        [("RUNNER_TEMP", ""), ("GITHUB_OUTPUT", "out"), ("GITHUB_STEP_SUMMARY", "sum")]
    {
        shell.env(name, scenario.path(file));
    }
    shell.envs(environment.iter().copied());
    Run::of(shell.output().unwrap())
}

#[test]
fn the_action_shows_the_verdict_and_ends_with_the_exit_status() {
    let (verify, verdict) = (action_step("Verify"), action_step("Verdict"));
    for (right, options, status, word, page_exists) in [
        ("code.kv", "", "0", "identical", true),
        ("other.db", "--strict\n--limit 1", "1", "diverged", true),
        ("missing.kv", "", "2", "failed", false),
        ("code.kv", "--unknown", "2", "failed", false),
    ] {
        let scenario = Scenario::with_small_pair();
        fs::copy(scenario.path("code.db"), scenario.path("other.db")).unwrap();
        scenario.change("other.db", "UPDATE code_chunks SET content = '::error::x\n</pre>#'");
        let inputs =
            [("LEFT", "code.db"), ("RIGHT", right), ("VALUES", "full"), ("OPTIONS", options)];
        let run = step(&scenario, &verify, &inputs).expect_status(0);

        let out = scenario.lines("out");
        let output = |name: &str| {
            let line = out.iter().find_map(|line| line.strip_prefix(&format!("{name}=")));
            line.unwrap_or_else(|| panic!("no {name} in {out:?}")).to_owned()
        };
        assert_eq!(
            (output("verdict").as_str(), output("status").as_str()),
            (word, status),
            "{run}"
        );
        assert_eq!(Path::new(&output("page")).exists(), page_exists, "{run}");
        let end = step(&scenario, &verdict, &[("STATUS", &output("status"))]);
        assert_eq!(end.status.to_string(), status);

        let printed: Vec<&str> = run.stdout.lines().collect();
        let [first, report @ .., last] = &printed[..] else { panic!("{run}") };
        let token = first.strip_prefix("::stop-commands::").unwrap();
        assert_eq!(*last, format!("::{token}::"));
        let expected = ["", &report.join("\n    ")].join("    ");
        let summary = without_time(&scenario.lines("sum").join("\n"));
        assert_eq!(summary, format!("### chunkmigrate verify: {word}\n\n{expected}"));
    }
}

#[test]
fn no_script_of_a_workflow_contains_an_expression_or_names_a_missing_one() {
    let mut count = 0;
    for file in ["action.yml", ".github/workflows/ci.yml", ".github/workflows/release.yml"] {
        for (step, script) in scripts(&read(file)) {
            assert!(!script.contains("${{"), "{file}, {step}: {script}");
            for word in script.split_whitespace() {
                if word.starts_with("packaging/") || word.starts_with(".ci/") {
                    assert!(Path::new(ROOT).join(word).is_file(), "{file} runs {word}");
                    count += 1;
                }
            }
        }
    }
    assert!(count > 1, "only {count} scripts were found");
}

#[test]
fn the_image_is_built_from_every_folder_with_a_target() {
    let ignored = read(".dockerignore");
    let package = package();
    for target in package["targets"].as_array().unwrap() {
        let path = Path::new(target["src_path"].as_str().unwrap());
        let inside = path.strip_prefix(ROOT).unwrap();
        let folder = inside.iter().next().unwrap().to_str().unwrap();
        let line = format!("!{folder}");
        assert!(ignored.lines().any(|ignored| ignored == line), ".dockerignore lacks {line}");
    }
}

#[test]
fn every_command_of_the_instructions_is_accepted() {
    let names: Vec<String> = commands().concat();
    let scenario = Scenario::new();
    let mut count = 0;
    for file in ["SECURITY.md", "docs/install.md", ".github/ISSUE_TEMPLATE/bug.yml"] {
        let text = read(file);
        for line in text.lines() {
            let Some((_, after)) = line.split_once("chunkmigrate ") else { continue };
            let arguments = after.split(['`', '>']).next().unwrap();
            let mut arguments: Vec<&str> = arguments.split_whitespace().collect();
            let is_command =
                |word: &&str| word.starts_with("--") || names.iter().any(|n| n == word);
            if !arguments.first().is_some_and(is_command) {
                continue;
            }
            arguments.push("--help");
            let run = scenario.run(&arguments);
            assert_eq!(run.status, 0, "{file}: {line}\n{run}");
            count += 1;
        }
    }
    assert!(count > 7, "only {count} commands were found");
}

#[test]
fn the_documents_name_the_oldest_rust_version() {
    let version = env!("CARGO_PKG_RUST_VERSION");
    for file in ["README.md", "SECURITY.md", "docs/install.md"] {
        assert!(read(file).contains(&format!(" {version} ")), "{file} lacks {version}");
    }
}
