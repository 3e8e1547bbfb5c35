//! Why a notice could not be sent.

/// Why a notice could not be sent, without a secret and without an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) reason: String,
    /// Whether no other try would end otherwise.
    pub(super) for_good: bool,
    /// Whether it would go alike with every other notice of the channel just now.
    pub(super) of_the_channel: bool,
}

impl Failure {
    /// The other end is away, or cannot do it now.
    pub(super) fn later(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), for_good: false, of_the_channel: true }
    }

    /// The other end refuses this notice, and would do so again.
    pub(super) fn for_good(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), for_good: true, of_the_channel: false }
    }
}

/// What is said of a host that may not be connected to.
pub(super) fn not_permitted() -> String {
    "its address belongs to this machine or to a network here, and is not among those that notices may be sent to: the \
     operator permits it with --notice-hosts"
        .to_owned()
}
