//! Pages of a list.

/// A slice of a list. The caller has checked its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many rows to skip.
    pub skip: u32,
    /// How many rows to return at most.
    pub limit: u32,
}

impl Page {
    /// Every row.
    pub const ALL: Self = Self { skip: 0, limit: u32::MAX };
}

/// A slice of a list, and how long the whole list is.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed<T> {
    /// The rows of the slice.
    pub items: Vec<T>,
    /// How many rows there are without the slicing.
    pub total: u64,
}
