//! The files of the page, which are part of the program.

/// A file of the page.
#[derive(Debug)]
pub(super) struct Asset {
    pub(super) name: &'static str,
    pub(super) media_type: &'static str,
    /// An entity tag made of its content, with its quotes.
    pub(super) tag: &'static str,
    pub(super) content: &'static [u8],
}

/// All of them, `index.html` first. If the program was built without its page, that file says so and is the only
/// one.
pub(super) static ASSETS: &[Asset] = &include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// What a path leads to.
pub(super) fn at(path: &str) -> Option<&'static Asset> {
    let (index, others) = ASSETS.split_first()?;
    let name = path.strip_prefix('/')?;
    if name.is_empty() { Some(index) } else { others.iter().find(|asset| asset.name == name) }
}

/// Whether `index.html` has this text.
pub(super) fn index_has(text: &str) -> bool {
    let index = ASSETS.first().map_or(&[][..], |index| index.content);
    index.windows(text.len()).any(|window| window == text.as_bytes())
}
