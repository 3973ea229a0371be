use std::collections::{BTreeMap, BTreeSet};

use super::root;

/// What each crate depends on inside the workspace, by the table in `docs/architecture.md` that has the heading
/// `| crate | in the workspace |`. Crates are called by their folders; `None` stands for `everything`.
pub(super) fn edges() -> BTreeMap<String, Option<BTreeSet<String>>> {
    let text = std::fs::read_to_string(root().join("docs/architecture.md"))
        .expect("docs/architecture.md says who may depend on whom");
    let edges = read(&text);
    assert!(!edges.is_empty(), "docs/architecture.md has no table `| crate | in the workspace |`");
    edges
}

fn read(text: &str) -> BTreeMap<String, Option<BTreeSet<String>>> {
    let rows = text.lines().skip_while(|line| !line.starts_with("| crate | in the workspace |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let rows: Vec<_> = rows.filter_map(|row| row.trim_matches('|').split_once('|')).collect();
    let folders: BTreeSet<String> = rows.iter().flat_map(|(crates, _)| quoted(crates)).collect();
    // `codec` is short for `adapters/codec`.
    let in_full = |name: String| {
        let of_that_name = folders.iter().find(|folder| folder.rsplit('/').next() == Some(&name));
        of_that_name.cloned().unwrap_or(name)
    };
    let mut edges = BTreeMap::new();
    for (crates, allowed) in rows {
        let allowed =
            (!allowed.contains("everything")).then(|| quoted(allowed).map(in_full).collect::<BTreeSet<_>>());
        edges.extend(quoted(crates).map(|folder| (folder, allowed.clone())));
    }
    edges
}

/// What stands between backquotes.
fn quoted(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

#[test]
fn the_table_is_read_with_short_names_and_words_for_all_and_none() {
    let text = "| crate | in the workspace |\n|---|---|\n| `domain` | nothing |\n\
                | `adapters/codec`, `adapters/redis` | `domain`, `codec` |\n| `app` | everything |\n\n| `x` | `y` |";
    let set = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>());
    let expected = [
        ("domain", set(&[])),
        ("adapters/codec", set(&["domain", "adapters/codec"])),
        ("adapters/redis", set(&["domain", "adapters/codec"])),
        ("app", None),
    ];
    assert_eq!(read(text), expected.map(|(folder, edges)| (folder.to_owned(), edges)).into());
}
