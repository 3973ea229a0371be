//! What commands answer with: a refusal is a failure, and so is anything else than expected.

use crate::error::RedisFailure;
use crate::wire::{Cursor, Node, ProtocolError};

impl<'a> Cursor<'a> {
    fn sound(&mut self) -> Result<Node<'a>, RedisFailure> {
        match self.node()? {
            Node::Error(message) => Err(RedisFailure::refused(message)),
            node => Ok(node),
        }
    }

    /// An array's length; `None` for null.
    pub(crate) fn array(&mut self) -> Result<Option<usize>, RedisFailure> {
        match self.sound()? {
            Node::Array(count) => Ok(Some(count)),
            Node::Null => Ok(None),
            _ => Err(ProtocolError::Unexpected.into()),
        }
    }

    /// An array of exactly so many nodes.
    pub(crate) fn array_of(&mut self, length: usize) -> Result<(), RedisFailure> {
        match self.sound()? {
            Node::Array(count) if count == length => Ok(()),
            _ => Err(ProtocolError::Unexpected.into()),
        }
    }

    /// An array's length; 0 for null.
    pub(crate) fn array_or_nothing(&mut self) -> Result<usize, RedisFailure> {
        self.array().map(Option::unwrap_or_default)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], RedisFailure> {
        match self.sound()? {
            Node::Bytes(bytes) => Ok(bytes),
            _ => Err(ProtocolError::Unexpected.into()),
        }
    }

    /// Text for people; what is no UTF-8 in it is replaced.
    pub(crate) fn text(&mut self) -> Result<String, RedisFailure> {
        self.bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// An integer that cannot be negative; `None` for null and for the negative numbers that servers have
    /// answered with where they did not know.
    pub(crate) fn count(&mut self) -> Result<Option<u64>, RedisFailure> {
        match self.sound()? {
            Node::Integer(number) => Ok(u64::try_from(number).ok()),
            Node::Null => Ok(None),
            _ => Err(ProtocolError::Unexpected.into()),
        }
    }

    pub(crate) fn expect_ok(&mut self) -> Result<(), RedisFailure> {
        self.sound().map(drop)
    }

    /// Whether the next reply is a refusal; it is not read over.
    pub(crate) fn is_refusal(&self) -> bool {
        let mut ahead = *self;
        matches!(ahead.node(), Ok(Node::Error(_)))
    }
}
