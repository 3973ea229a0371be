//! Processor: from a stream of GPS records to a complete history of positions.

use std::process::ExitCode;

fn main() -> ExitCode {
    processor::cli::main()
}
