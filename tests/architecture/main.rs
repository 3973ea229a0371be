//! What holds for the repository as a whole: who may depend on whom, and what no source file may be.

use std::path::{Path, PathBuf};

mod asyncapi;
mod commands;
mod dependencies;
mod monitoring;
mod sources;

/// The folder of the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is a folder of the workspace")
}

/// Every Rust source file of the repository.
fn source_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the repository can be read") {
            let path = entry.expect("the repository can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') && name != "node_modules" {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 20, "sources are looked for in the wrong place: {}", root().display());
    found
}

/// A path as it is called in the repository.
fn called(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
