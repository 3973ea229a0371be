//! RESP2 as a client reads it: where a reply ends, and what is in it.
//!
//! A read of two thousand entries is one reply of ten thousand nodes. The reply is therefore never built as a
//! tree: [`Scanner`] goes once over the bytes as they arrive and knows when the last one is there; then
//! [`Cursor`] walks over the whole reply and lends out its parts.
//!
//! Whatever a server sends, a reply is bounded in bytes and depth, and what it announces is never allocated.

/// Deepest reply of the commands in use: the modules in the answer to `HELLO`.
const DEEPEST: usize = 8;

/// Longest line of `+` and `-`, in bytes. A server's longest error is a few hundred.
const LONGEST_LINE: usize = 64 * 1024;

/// Longest number with its line end, in bytes.
const LONGEST_NUMBER: usize = 32;

/// The bytes are not a reply that can be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProtocolError {
    /// A node starts with a byte that RESP2 does not know.
    #[error("a reply cannot start with byte {0:#04x}")]
    UnknownKind(u8),
    /// A length or an integer is not a number of 64 bits, or is a negative length other than -1.
    #[error("a number in the reply is malformed")]
    MalformedNumber,
    /// A line does not end where it should.
    #[error("a line of the reply does not end where it should")]
    MissingLineEnd,
    /// Arrays within arrays beyond what any command in use answers.
    #[error("the reply is nested too deeply")]
    TooDeep,
    /// Larger than accepted.
    #[error("the reply is larger than {limit} bytes")]
    TooLarge {
        /// The largest that is accepted.
        limit: usize,
    },
    /// A well-formed reply, but not of the shape that the command answers with.
    #[error("the reply does not have the shape that the command answers with")]
    Unexpected,
}

/// Finds the end of a reply in a buffer that grows.
///
/// What was looked at once is not looked at again: feeding it byte by byte costs no more than linear time.
#[derive(Debug)]
pub(crate) struct Scanner {
    /// Where the next node starts.
    at: usize,
    /// How many nodes are to come in each array that is open, the outermost first.
    open: [usize; DEEPEST],
    depth: usize,
    limit: usize,
}

impl Scanner {
    /// Starts at the beginning of a buffer, which may grow to `limit` bytes.
    pub(crate) const fn new(limit: usize) -> Self {
        Self { at: 0, open: [0; DEEPEST], depth: 0, limit }
    }

    /// Where the reply ends, if all of it is in `buffer`, which holds what it held at the last call and
    /// possibly more. Then the next call looks for the reply that follows.
    pub(crate) fn scan(&mut self, buffer: &[u8]) -> Result<Option<usize>, ProtocolError> {
        loop {
            let Some((head, size)) = head(buffer.get(self.at..).unwrap_or_default())? else {
                return self.within_limit(buffer.len()).map(|()| None);
            };
            let mut end = self.at + size;
            match head {
                Head::Array(Some(count)) if count > 0 => {
                    // Every node takes four bytes at least.
                    self.within_limit(end.saturating_add(count.saturating_mul(4)))?;
                    *self.open.get_mut(self.depth).ok_or(ProtocolError::TooDeep)? = count;
                    self.depth += 1;
                    self.at = end;
                    continue;
                }
                Head::Bulk(Some(length)) => {
                    end = end.saturating_add(length).saturating_add(2);
                    self.within_limit(end)?;
                    if buffer.len() < end {
                        return Ok(None);
                    }
                    line_end(&buffer[end - 2..])?;
                }
                _ => {}
            }
            self.at = end;
            if self.node_ends_reply() {
                return self.within_limit(end).map(|()| Some(end));
            }
        }
    }

    /// Counts a node off the arrays it completes.
    fn node_ends_reply(&mut self) -> bool {
        while self.depth > 0 {
            let open = &mut self.open[self.depth - 1];
            *open -= 1;
            if *open > 0 {
                return false;
            }
            self.depth -= 1;
        }
        true
    }

    const fn within_limit(&self, size: usize) -> Result<(), ProtocolError> {
        if size > self.limit { Err(ProtocolError::TooLarge { limit: self.limit }) } else { Ok(()) }
    }
}

/// One node of a reply; the nodes of an array follow it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Node<'a> {
    Array(usize),
    Bytes(&'a [u8]),
    Integer(i64),
    Error(&'a [u8]),
    Null,
}

/// Walks over replies of which [`Scanner`] has found the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(replies: &'a [u8]) -> Self {
        Self { rest: replies }
    }

    /// Bytes not walked over yet.
    pub(crate) const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next node.
    #[inline]
    pub(crate) fn node(&mut self) -> Result<Node<'a>, ProtocolError> {
        let (head, size) = head(self.rest)?.ok_or(ProtocolError::Unexpected)?;
        self.rest = &self.rest[size..];
        Ok(match head {
            Head::Array(Some(count)) => Node::Array(count),
            Head::Bulk(Some(length)) => {
                let (bytes, rest) = self.rest.split_at_checked(length).ok_or(ProtocolError::Unexpected)?;
                line_end(rest)?;
                self.rest = &rest[2..];
                Node::Bytes(bytes)
            }
            Head::Array(None) | Head::Bulk(None) => Node::Null,
            Head::Integer(number) => Node::Integer(number),
            Head::Simple(text) => Node::Bytes(text),
            Head::Error(text) => Node::Error(text),
        })
    }

    /// Passes over a node and all that is in it.
    pub(crate) fn skip(&mut self) -> Result<(), ProtocolError> {
        let mut to_come = 1_usize;
        while to_come > 0 {
            to_come -= 1;
            if let Node::Array(count) = self.node()? {
                to_come = to_come.saturating_add(count);
            }
        }
        Ok(())
    }
}

/// The start of a node: all of it, except for the content of a bulk string and the nodes of an array.
enum Head<'a> {
    Array(Option<usize>),
    Bulk(Option<usize>),
    Integer(i64),
    Simple(&'a [u8]),
    Error(&'a [u8]),
}

/// The node at the start of `bytes` and the size of its head in bytes; `None` if the head is not complete.
#[inline]
fn head(bytes: &[u8]) -> Result<Option<(Head<'_>, usize)>, ProtocolError> {
    let Some((&kind, rest)) = bytes.split_first() else { return Ok(None) };
    match kind {
        b'$' | b'*' | b':' => {
            let Some((number, size)) = number(rest)? else { return Ok(None) };
            let head = match kind {
                b':' => Head::Integer(number),
                b'$' => Head::Bulk(length(number)?),
                _ => Head::Array(length(number)?),
            };
            Ok(Some((head, size + 1)))
        }
        b'+' | b'-' => {
            let Some(end) = rest.iter().take(LONGEST_LINE).position(|byte| *byte == b'\r') else {
                return if rest.len() < LONGEST_LINE { Ok(None) } else { Err(ProtocolError::MissingLineEnd) };
            };
            match rest.get(end + 1) {
                None => Ok(None),
                Some(b'\n') => {
                    let text = &rest[..end];
                    let head = if kind == b'+' { Head::Simple(text) } else { Head::Error(text) };
                    Ok(Some((head, end + 3)))
                }
                Some(_) => Err(ProtocolError::MissingLineEnd),
            }
        }
        other => Err(ProtocolError::UnknownKind(other)),
    }
}

/// A decimal number and its line end, and the size of both; `None` if the line is not complete.
#[inline]
fn number(line: &[u8]) -> Result<Option<(i64, usize)>, ProtocolError> {
    let negative = line.first() == Some(&b'-');
    let first = usize::from(negative);
    let (mut at, mut magnitude) = (first, 0_u64);
    while let Some(byte) = line.get(at) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        magnitude = magnitude
            .checked_mul(10)
            .and_then(|tens| tens.checked_add(u64::from(digit)))
            .ok_or(ProtocolError::MalformedNumber)?;
        at += 1;
        if at > LONGEST_NUMBER {
            return Err(ProtocolError::MalformedNumber);
        }
    }
    match line.get(at..at + 2) {
        None if line.get(at).is_none_or(|byte| *byte == b'\r') => Ok(None),
        Some(b"\r\n") if at > first => {
            let number =
                if negative { 0_i64.checked_sub_unsigned(magnitude) } else { magnitude.try_into().ok() };
            number.map(|number| Some((number, at + 2))).ok_or(ProtocolError::MalformedNumber)
        }
        _ => Err(ProtocolError::MalformedNumber),
    }
}

#[inline]
fn length(number: i64) -> Result<Option<usize>, ProtocolError> {
    match number {
        -1 => Ok(None),
        number => usize::try_from(number).map(Some).map_err(|_| ProtocolError::MalformedNumber),
    }
}

#[inline]
fn line_end(bytes: &[u8]) -> Result<(), ProtocolError> {
    if bytes.starts_with(b"\r\n") { Ok(()) } else { Err(ProtocolError::MissingLineEnd) }
}

#[cfg(test)]
mod tests;
