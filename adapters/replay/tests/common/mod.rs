//! Files that tests make and take away again.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

/// A file in the scratch directory of the build, removed when dropped. Every test names its own.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn with(name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, content).expect("the scratch directory takes files");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind is overwritten by the next run.
        drop(std::fs::remove_file(&self.0));
    }
}

pub(crate) fn gzip(content: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content.as_ref()).expect("memory takes bytes");
    encoder.finish().expect("memory takes bytes")
}

/// A line with this device and this second of 10:00 on 2026-05-01, of any number of seconds.
pub(crate) fn line(device: u32, second: u64) -> String {
    let at = processor_domain::Timestamp::from_millis(1_777_629_600_000)
        .plus(std::time::Duration::from_secs(second));
    format!(
        r#"{{"device_id":"{device:015}","timestamp":"{at}","latitude":54.5,"longitude":25.5,"satellites":9,"priority":0,"attributes":{{}}}}"#
    )
}
