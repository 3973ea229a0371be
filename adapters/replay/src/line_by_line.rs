//! Text handed out line by line.

use std::io::{self, BufRead, Read};

/// A reader that gives at most the rest of a line at a time and counts the lines begun: so it can be said at
/// which line a parser stopped that keeps its place to itself.
pub(crate) struct LineByLine<R> {
    text: R,
    line: u64,
    line_ended: bool,
    failed: Option<io::ErrorKind>,
}

impl<R> LineByLine<R> {
    pub(crate) fn new(text: R) -> Self {
        Self { text, line: 0, line_ended: true, failed: None }
    }

    /// The number of the line handed out last, from 1 on; 0 before the first one.
    pub(crate) const fn line(&self) -> u64 {
        self.line
    }

    /// The failure of the reader below, if there was one: parsers tend to keep that to themselves, too.
    pub(crate) const fn failed(&self) -> Option<io::ErrorKind> {
        self.failed
    }
}

impl<R: BufRead> Read for LineByLine<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let text = match self.text.fill_buf() {
            Ok(text) => text,
            Err(error) => {
                self.failed = Some(error.kind());
                return Err(error);
            }
        };
        let line = text.iter().position(|&byte| byte == b'\n').map_or(text.len(), |end| end + 1);
        let length = line.min(buffer.len());
        buffer[..length].copy_from_slice(&text[..length]);
        let ended = text[..length].ends_with(b"\n");
        self.text.consume(length);
        if length > 0 {
            self.line += u64::from(self.line_ended);
            self.line_ended = ended;
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_lines_it_has_begun() {
        let mut text = LineByLine::new("ab\ncd\n\nlast".as_bytes());
        let (mut buffer, mut seen) = ([0; 2], Vec::new());
        while let Ok(length @ 1..) = text.read(&mut buffer) {
            seen.push((String::from_utf8_lossy(&buffer[..length]).into_owned(), text.line()));
        }
        let expected = [("ab", 1), ("\n", 1), ("cd", 2), ("\n", 2), ("\n", 3), ("la", 4), ("st", 4)];
        assert_eq!(seen, expected.map(|(part, line)| (part.to_owned(), line)));
    }
}
