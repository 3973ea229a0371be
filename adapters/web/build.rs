//! Puts the page into the crate: what `npm run build` makes of `page/` is copied to where `src/page/assets.rs`
//! includes it from.
//!
//! A page that is built already, in `page/dist`, is taken as it is unless a source is newer. Otherwise it is built,
//! in the output directory, so that the sources stay as they are. Without npm, or if it fails, the program is built
//! all the same and says in place of the page how to get one.
//!
//! `PROCESSOR_PAGE=skip` leaves the page out, `PROCESSOR_PAGE=require` lets the build fail without it.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use std::{env, fs, io};

/// What the page is built from; `dist` and `node_modules` are made of it.
const SOURCES: [&str; 6] =
    ["package.json", "package-lock.json", ".npmrc", "build.mjs", "tsconfig.json", "src"];

/// What the page consists of, and which media type each file has.
const FILES: [(&str, &str); 4] = [
    ("index.html", "text/html; charset=utf-8"),
    ("app.js", "text/javascript; charset=utf-8"),
    ("app.css", "text/css; charset=utf-8"),
    ("icon.svg", "image/svg+xml"),
];

const NO_PAGE: &str = "<!doctype html>
<html lang=\"en\">
  <head><meta charset=\"utf-8\" /><title>Live map</title></head>
  <body>
    <h1>This program was built without its page</h1>
    <p>The live socket is served all the same, at <code>/live</code>.</p>
    <p>
      To have the page, install Node.js 20 or newer with npm, and build again with
      <code>PROCESSOR_PAGE=require cargo build</code>: the build then says what is missing.
    </p>
  </body>
</html>
";

fn main() {
    // Set by the tool that builds the fuzz targets.
    println!("cargo::rustc-check-cfg=cfg(fuzzing)");
    println!("cargo::rerun-if-env-changed=PROCESSOR_PAGE");
    let wish = env::var_os("PROCESSOR_PAGE").unwrap_or_default();
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let assets = out.join("assets");
    fs::create_dir_all(&assets).expect("the output directory can be written to");
    let page = if wish == "skip" { Err("it was asked for without".to_owned()) } else { page(&out) };
    let copied = page.and_then(|dist| copy(&dist, &assets).map_err(|error| format!("copy: {error}")));
    let files = match copied {
        Ok(()) => &FILES[..],
        Err(why) => {
            assert!(wish != "require", "the page cannot be built: {why}");
            if wish != "skip" {
                println!("cargo::warning=the page is left out: {why}");
            }
            fs::write(assets.join(FILES[0].0), NO_PAGE).expect("the output directory can be written to");
            &FILES[..1]
        }
    };
    fs::write(out.join("assets.rs"), table(&assets, files)).expect("the output directory can be written to");
}

/// The folder of a page that is built.
fn page(out: &Path) -> Result<PathBuf, String> {
    let here = Path::new("page");
    let mut newest = SystemTime::UNIX_EPOCH;
    for source in SOURCES {
        look_at(&here.join(source), &mut newest).map_err(|error| format!("page/{source}: {error}"))?;
    }
    let dist = here.join("dist");
    let built = |dist: &Path| fs::metadata(dist.join(FILES[0].0)).and_then(|file| file.modified()).ok();
    if built(&dist).is_some() {
        println!("cargo::rerun-if-changed=page/dist");
    }
    if built(&dist).is_some_and(|time| time >= newest) {
        return Ok(dist);
    }
    let copy = out.join("page");
    if built(&copy.join("dist")).is_some_and(|time| time >= newest) {
        return Ok(copy.join("dist"));
    }
    match build(here, &copy) {
        Ok(()) => Ok(copy.join("dist")),
        Err(why) if built(&dist).is_some() => {
            println!("cargo::warning=the page is older than its sources: {why}");
            Ok(dist)
        }
        Err(why) => Err(why),
    }
}

/// Looks for the newest file, and has this program run again when one changes.
fn look_at(path: &Path, newest: &mut SystemTime) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            look_at(&entry?.path(), newest)?;
        }
    }
    println!("cargo::rerun-if-changed={}", path.display());
    *newest = fs::metadata(path)?.modified()?.max(*newest);
    Ok(())
}

/// Builds the page in a folder of its own.
fn build(from: &Path, into: &Path) -> Result<(), String> {
    for source in SOURCES {
        copy_tree(&from.join(source), &into.join(source))
            .map_err(|error| format!("page/{source}: {error}"))?;
    }
    // Fails soon where there is no registry to be reached.
    npm(
        into,
        &["ci", "--prefer-offline", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=20000"],
    )?;
    npm(into, &["run", "build"])
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let run = Command::new(program).args(arguments).current_dir(folder).output();
    let output = run.map_err(|error| format!("npm cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    Err(format!("npm {} failed: {last}", arguments[0]))
}

fn copy_tree(from: &Path, into: &Path) -> io::Result<()> {
    if from.is_dir() {
        // What was deleted must not stay.
        if into.exists() {
            fs::remove_dir_all(into)?;
        }
        fs::create_dir_all(into)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy_tree(&entry.path(), &into.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if let Some(folder) = into.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, into).map(drop)
}

fn copy(dist: &Path, assets: &Path) -> io::Result<()> {
    FILES.iter().try_for_each(|(name, _)| fs::copy(dist.join(name), assets.join(name)).map(drop))
}

/// The source of a table of these files.
fn table(assets: &Path, files: &[(&str, &str)]) -> String {
    let mut table = String::from("[\n");
    for (name, media_type) in files {
        let path = assets.join(name);
        let content = fs::read(&path).expect("it was written just now");
        let mut hasher = DefaultHasher::new();
        hasher.write(&content);
        let tag = hasher.finish();
        let path = path.display().to_string();
        writeln!(
            table,
            "Asset {{ name: {name:?}, media_type: {media_type:?}, tag: \"\\\"{tag:016x}\\\"\", content: include_bytes!({path:?}) }},"
        )
        .expect("text takes everything");
    }
    table.push_str("]\n");
    table
}
