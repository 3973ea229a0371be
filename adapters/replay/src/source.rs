//! The bytes of a recording, unpacked and counted.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

/// What every gzip file begins with.
const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];

const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// Text of a file: unpacked if it was packed, without a byte order mark.
pub(crate) struct Source {
    pub(crate) text: Box<dyn BufRead + Send>,
    pub(crate) bytes_read: BytesRead,
}

/// How many bytes of the file itself have been read; packed ones if it is packed.
#[derive(Debug, Clone, Default)]
pub(crate) struct BytesRead(Arc<AtomicU64>);

impl BytesRead {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Source {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let bytes_read = BytesRead::default();
        let mut file = BufReader::new(Counted { file: File::open(path)?, bytes_read: bytes_read.clone() });
        let mut text: Box<dyn BufRead + Send> = if file.fill_buf()?.starts_with(&GZIP_MAGIC) {
            // Several packed parts may follow one another, as they do when files are concatenated.
            Box::new(BufReader::new(MultiGzDecoder::new(file)))
        } else {
            Box::new(file)
        };
        if text.fill_buf()?.starts_with(&BYTE_ORDER_MARK) {
            text.consume(BYTE_ORDER_MARK.len());
        }
        Ok(Self { text, bytes_read })
    }

    /// The first byte that is not white space; consumes what is before it.
    pub(crate) fn first_visible_byte(&mut self) -> io::Result<Option<u8>> {
        loop {
            let buffer = self.text.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            if let Some(&byte) = buffer.iter().find(|byte| !byte.is_ascii_whitespace()) {
                return Ok(Some(byte));
            }
            let blank = buffer.len();
            self.text.consume(blank);
        }
    }
}

struct Counted {
    file: File,
    bytes_read: BytesRead,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.bytes_read.0.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
