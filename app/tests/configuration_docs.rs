//! `docs/configuration.md` says what the program does.

use processor::config::SETTINGS;

const DOCS: &str = include_str!("../../docs/configuration.md");

fn row(name: &str, default: &str, meaning: &str) -> String {
    let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
    format!("| `{name}` | {default} | {meaning} |")
}

#[test]
fn every_setting_is_documented_with_its_default_in_the_order_of_the_list() {
    let expected: Vec<_> =
        SETTINGS.iter().map(|setting| row(setting.name, setting.default, setting.meaning)).collect();
    let (table, _) = DOCS.split_once("\n## ").expect("the table of settings comes first");
    let documented: Vec<_> = table.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(documented, expected, "the table should be:\n{}", expected.join("\n"));
}

#[test]
fn names_are_unique_and_every_flag_is_its_variable_in_kebab_case() {
    let mut names: Vec<_> = SETTINGS.iter().map(|setting| setting.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), SETTINGS.len());
    let command = processor::cli::cli();
    for setting in SETTINGS {
        let argument = command.get_arguments().find(|argument| argument.get_id() == setting.name);
        let flag = argument.and_then(|argument| argument.get_long()).map(str::to_owned);
        assert_eq!(flag, Some(setting.name.to_lowercase().replace('_', "-")));
    }
}
