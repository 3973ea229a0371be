//! Frames of WebSocket in what is read piece by piece.

/// What is kept of the payload of a frame: all that this program looks at is at its beginning.
const KEPT: usize = 320;

/// A frame that is whole, with the beginning of its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) opcode: u8,
    pub(crate) start: &'a [u8],
    pub(crate) bytes: usize,
}

/// Finds frames. The server's are not masked, and it sends no fragments.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// The head of the frame and the beginning of its payload.
    start: Vec<u8>,
    head: usize,
    payload: usize,
    left: usize,
}

impl Frames {
    /// Takes what was read next, and hands out the frames that are whole by then.
    pub(crate) fn take(&mut self, mut bytes: &[u8], mut found: impl FnMut(Frame<'_>)) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let taken = self.left.min(bytes.len());
                let kept = (self.head + KEPT).saturating_sub(self.start.len()).min(taken);
                self.start.extend_from_slice(&bytes[..kept]);
                self.left -= taken;
                bytes = &bytes[taken..];
            } else {
                self.start.push(bytes[0]);
                bytes = &bytes[1..];
                let Some(payload) = payload_of(&self.start) else { continue };
                (self.head, self.payload, self.left) = (self.start.len(), payload, payload);
            }
            if self.left == 0 {
                let (opcode, start) = (self.start[0] & 15, &self.start[self.head..]);
                found(Frame { opcode, start, bytes: self.payload });
                self.start.clear();
            }
        }
    }
}

/// The length of the payload, when the head is whole.
fn payload_of(head: &[u8]) -> Option<usize> {
    let (short, long) = (usize::from(*head.get(1)?), &head[2..]);
    let bytes = match short {
        126 => 2,
        127 => 8,
        _ => return Some(short),
    };
    (long.len() == bytes).then(|| long.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
}
