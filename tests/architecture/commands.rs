use super::root;

fn lines_of(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    text.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn the_test_command_of_the_readme_is_the_one_that_is_checked() {
    let names_it = |line: &String| line.split_whitespace().next() == Some("scripts/test");
    assert!(
        lines_of("README.md").iter().any(names_it),
        "README.md has no line with the command scripts/test"
    );
    assert!(lines_of(".ci/run").iter().any(names_it), ".ci/run does not run scripts/test");
}
