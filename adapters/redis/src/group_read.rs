//! The command that reads a stream for a group.

use std::time::Duration;

use crate::connection::Commands;

/// `XREADGROUP` of one stream: a read of several would need them all on the same node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GroupRead<'a> {
    pub(crate) stream: &'a str,
    pub(crate) group: &'a str,
    pub(crate) consumer: &'a str,
    /// The id after which to read what is pending, or [`Self::NEW`].
    pub(crate) after: &'a str,
    /// Most entries.
    pub(crate) count: usize,
    /// How long the server holds back an answer that would be empty; not at all if `None`.
    pub(crate) block: Option<Duration>,
    /// Whether what is read counts as acknowledged and is never pending.
    pub(crate) acknowledged: bool,
}

impl GroupRead<'_> {
    /// What nobody in the group was given.
    pub(crate) const NEW: &'static str = ">";

    pub(crate) fn push(&self, commands: &mut Commands) {
        let (count, block) = (self.count.to_string(), self.block.map(|block| block.as_millis().to_string()));
        let mut words = vec!["XREADGROUP", "GROUP", self.group, self.consumer, "COUNT", &count];
        if let Some(block) = &block {
            words.extend(["BLOCK", block]);
        }
        if self.acknowledged {
            words.push("NOACK");
        }
        words.extend(["STREAMS", self.stream, self.after]);
        commands.push(&words);
    }
}
