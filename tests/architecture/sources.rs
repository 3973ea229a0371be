use std::fs;

use super::{called, root, source_files};

const MOST_LINES: usize = 400;

/// What no source file may have in it, and why. Written in two parts, for this is a source file too.
const UNWANTED: [(&str, &str, &str); 7] = [
    ("#[", "ignore", "a test that is not run is no test"),
    ("unsafe", " {", "memory safety is the compiler's to prove"),
    ("unsafe", " fn", "memory safety is the compiler's to prove"),
    ("unsafe", " impl", "memory safety is the compiler's to prove"),
    ("todo", "!(", "what is not done is an issue"),
    ("unimplemented", "!(", "what is not done is an issue"),
    ("dbg", "!(", "it was to be removed"),
];

/// What names say nothing by: `struct`, `enum`, `trait` and `mod` do not end in it.
const EMPTY_NAMES: [&str; 6] = ["Manager", "Helper", "Helpers", "Util", "Utils", "Impl"];

fn violations(rule: impl Fn(&str) -> Vec<String>) -> String {
    let mut all = Vec::new();
    for path in source_files() {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        all.extend(rule(&text).into_iter().map(|violation| format!("{}: {violation}", called(&path))));
    }
    all.join("\n")
}

#[test]
fn no_source_file_is_longer_than_one_idea() {
    let too_long = violations(|text| match text.lines().count() {
        lines if lines > MOST_LINES => {
            vec![format!("{lines} lines, at most {MOST_LINES} are read in one go")]
        }
        _ => Vec::new(),
    });
    assert_eq!(too_long, "");
}

#[test]
fn no_source_file_has_in_it_what_is_unwanted() {
    let found = violations(|text| {
        let unwanted = UNWANTED.iter().filter(|(one, two, _)| text.contains(&format!("{one}{two}")));
        unwanted.map(|(one, two, why)| format!("has `{one}{two}`: {why}")).collect()
    });
    assert_eq!(found, "");
}

#[test]
fn names_say_what_things_are() {
    let found = violations(|text| text.lines().filter_map(empty_name).collect());
    assert_eq!(found, "");
}

/// The name that is declared in this line, if it is an empty one.
fn empty_name(line: &str) -> Option<String> {
    let mut words = line.split(|char: char| !char.is_alphanumeric() && char != '_' && char != '#');
    words.find(|word| matches!(*word, "struct" | "enum" | "trait" | "mod"))?;
    let name = words.next()?;
    let last = name.rsplit('_').next()?;
    let empty = EMPTY_NAMES.iter().any(|empty| name.ends_with(empty) || last == empty.to_lowercase());
    let comment = line.trim_start().starts_with("//");
    (empty && !comment).then(|| format!("`{name}` is a name that says nothing"))
}

#[test]
fn an_empty_name_is_known_when_it_is_seen() {
    let found = |line: &str| empty_name(line).is_some();
    let (structure, module) = ("pub struct ", "mod ");
    assert!(found(&format!("{structure}PoolManager {{")));
    assert!(found(&format!("{module}redis_util;")));
    assert!(!found(&format!("{structure}Manageress;")));
    assert!(!found(&format!("/// {structure}PoolManager")));
}

#[test]
fn every_crate_inherits_the_lints() {
    let metadata = super::dependencies::metadata();
    assert!(!metadata.packages.is_empty());
    for package in metadata.packages {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap_or_default();
        let inherits = manifest.contains("[lints]\nworkspace = true\n");
        assert!(inherits, "{} does not inherit the lints of the workspace", package.name);
    }
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap_or_default();
    assert!(workspace.contains("unsafe_code = \"forbid\""), "the workspace does not forbid unsafe code");
}
