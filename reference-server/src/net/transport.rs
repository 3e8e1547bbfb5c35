//! How a request reached the server.

use axum::extract::Request;

/// How a request reached the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// In plain text, as the server speaks.
    Plain,
    /// Over TLS.
    Encrypted,
    /// In plain text, although the server speaks TLS.
    PlainBesideTls {
        /// Whether it comes from the machine itself, and so went over no network.
        from_this_machine: bool,
    },
}

impl Transport {
    /// Returns how `request` came; in tests without a network, in plain text.
    pub(crate) fn of(request: &Request) -> Self {
        request.extensions().get::<Self>().copied().unwrap_or(Self::Plain)
    }
}
