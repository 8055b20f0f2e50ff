//! The program's commands, as its help lists them.

use chunkmigrate::verify::FindingClass;

use super::{Run, Scenario};

/// The arguments that name each command: none for the program itself, then every command it lists
/// except `help`, which prints the help of the others.
pub(crate) fn commands() -> Vec<Vec<String>> {
    let help = help(&[]);
    let names = section(&help, "Commands");
    let names = names.map(|line| line.split_whitespace().next().unwrap().to_owned());
    let names: Vec<_> = names.filter(|name| name != "help").collect();
    assert!(names.contains(&"verify".to_owned()), "{help}");
    let named = names.into_iter().map(|name| vec![name]);
    std::iter::once(Vec::new()).chain(named).collect()
}

/// What `--help` of a command says.
pub(crate) fn help(command: &[String]) -> String {
    let args: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
    let run: Run = Scenario::new().run(&args).expect_status(0);
    assert_eq!(run.stderr, "");
    run.stdout
}

/// The lines of a section, up to the next one.
pub(crate) fn section<'h>(help: &'h str, heading: &str) -> impl Iterator<Item = &'h str> {
    let heading = format!("{heading}:");
    help.lines()
        .skip_while(move |line| *line != heading)
        .skip(1)
        .take_while(|line| line.is_empty() || line.starts_with(' '))
        .filter(|line| !line.trim().is_empty())
}

/// What `verify --help` advises about each class of finding.
pub(crate) fn advice() -> Vec<(FindingClass, String)> {
    let help = help(&["verify".to_owned()]);
    let mut texts: Vec<(FindingClass, String)> = Vec::new();
    for line in section(&help, "Classes of findings") {
        let text = line.trim();
        let mut classes = FindingClass::ALL.into_iter();
        match (classes.find(|class| class.name() == text), texts.last_mut()) {
            (Some(class), _) => texts.push((class, String::new())),
            (None, Some((_, advice))) if advice.is_empty() => advice.push_str(text),
            (None, Some((_, advice))) => *advice += &format!(" {text}"),
            (None, None) => panic!("no class before {text:?}"),
        }
    }
    texts
}
