//! What it costs to send the frames of an event to all who watch.
fn main() {}
