//! How much of a file is read.

/// The largest file that is read, in bytes. A list of 50,000 people has about 5 MB.
pub const MOST_BYTES: usize = 16 * 1024 * 1024;
/// The most lines of a list: more than the largest universities have students in one place.
pub const MOST_LINES: usize = 50_000;
/// The most columns of a list. School programs export up to about 200.
pub const MOST_COLUMNS: usize = 256;
/// The most cells, with the empty ones before a cell that is not: 50,000 lines of 40 columns.
pub const MOST_CELLS: usize = 2_000_000;
/// The most bytes that the parts of a workbook may have once they are unpacked. A sheet of 50,000 lines and 20 columns
/// has about 50 MB.
pub const MOST_UNPACKED: u64 = 96 * 1024 * 1024;
