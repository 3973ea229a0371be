//! One record a line.

use processor_domain::Kept;

use super::format::Encoder;
use super::words::{key, others, place};
use crate::text::Text;

/// Records in the words of the stream, so that what was exported can be replayed; beside them what was found of the
/// position, and when it was written. The last line ends as all lines do.
pub(super) struct NdJson;

impl Encoder for NdJson {
    fn begin(&mut self, _: &mut Text) {}

    fn position(&mut self, out: &mut Text, kept: &Kept) {
        out.raw("{");
        key(out, kept);
        place(out, kept);
        others(out, kept);
        out.raw("}\n");
    }

    fn end(&mut self, _: &mut Text) {}
}
