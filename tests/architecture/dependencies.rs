use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use super::root;

mod documented;
mod outside;

/// The packages of the workspace, as Cargo sees them.
pub(super) fn metadata() -> Metadata {
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml")).no_deps();
    command.exec().expect("cargo metadata describes the workspace")
}

/// Every crate of the workspace by the name of its package; each is called by its folder.
fn folders(metadata: &Metadata) -> BTreeMap<String, String> {
    let folder = |package: &Package| {
        let manifest = package.manifest_path.as_std_path();
        super::called(manifest.parent().expect("a manifest is in a folder"))
    };
    metadata.packages.iter().map(|package| (package.name.to_string(), folder(package))).collect()
}

/// What a package depends on, by the name of the package; with what its tests alone depend on, or without.
fn dependencies(package: &Package, of_tests: bool) -> BTreeSet<&str> {
    let wanted = package.dependencies.iter();
    let wanted = wanted.filter(|found| (found.kind == DependencyKind::Development) == of_tests);
    wanted.map(|found| found.name.as_str()).collect()
}

fn assert_none(sentences: &[String]) {
    assert!(sentences.is_empty(), "\n{}\n", sentences.join("\n"));
}

#[test]
fn crates_depend_on_each_other_as_docs_architecture_says() {
    let metadata = metadata();
    let folders = folders(&metadata);
    let documented = documented::edges();
    let mut sentences = Vec::new();
    for package in &metadata.packages {
        let folder = &folders[package.name.as_str()];
        let Some(allowed) = documented.get(folder.as_str()) else {
            sentences.push(format!("docs/architecture.md does not say what {folder} may depend on"));
            continue;
        };
        let Some(allowed) = allowed else { continue };
        let used = dependencies(package, false);
        let used: BTreeSet<_> = used.iter().filter_map(|name| folders.get(*name)).cloned().collect();
        let forbidden = used.difference(allowed);
        sentences.extend(forbidden.map(|other| format!("{folder} must not depend on {other}")));
        let stale = allowed.difference(&used);
        sentences.extend(stale.map(|other| {
            format!("{folder} does not depend on {other}: docs/architecture.md says that it does")
        }));
    }
    let known: BTreeSet<_> = folders.values().map(String::as_str).collect();
    let gone = documented.keys().filter(|folder| !known.contains(folder.as_str()));
    sentences
        .extend(gone.map(|folder| format!("docs/architecture.md speaks of {folder}, which is no crate")));
    assert_none(&sentences);
}

#[test]
fn crates_use_from_outside_only_what_they_are_for() {
    let metadata = metadata();
    let folders = folders(&metadata);
    let mut sentences = Vec::new();
    for package in &metadata.packages {
        let folder = &folders[package.name.as_str()];
        let Some((_, allowed)) = outside::ALLOWED.iter().find(|(of, _)| of == folder) else {
            if !outside::ANYTHING.contains(&folder.as_str()) {
                sentences.push(format!("tests/architecture does not say what {folder} may use from outside"));
            }
            continue;
        };
        let used = dependencies(package, false).into_iter().filter(|name| !folders.contains_key(*name));
        let forbidden = used.filter(|name| !allowed.contains(name));
        sentences.extend(forbidden.map(|name| format!("{folder} must not use {name}")));
    }
    assert_none(&sentences);
}

/// The tests of a crate may use the words of the domain, its samples and mocks, and the codec. What needs more
/// of the workspace is a contract or a journey.
#[test]
fn tests_of_a_crate_stay_at_home() {
    let metadata = metadata();
    let folders = folders(&metadata);
    let mut sentences = Vec::new();
    for package in &metadata.packages {
        let folder = folders[package.name.as_str()].as_str();
        if outside::ANYTHING.contains(&folder) {
            continue;
        }
        let used = dependencies(package, true);
        let strange = used
            .iter()
            .filter_map(|name| folders.get(*name))
            .filter(|other| !["domain", "adapters/codec", folder].contains(&other.as_str()));
        sentences.extend(strange.map(|other| format!("the tests of {folder} must not depend on {other}")));
    }
    assert_none(&sentences);
}
