//! How often clients may ask.

/// How often one client may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests a second from one address (of IPv6, from one network of 64 bits), in the long run; `None` for no limit.
    pub per_address: Option<u32>,
    /// Requests a second with one login's tokens, in the long run; `None` for no limit.
    pub per_login: Option<u32>,
    /// Whether programs of this machine are limited too. Not by default: a proxy here speaks for everybody until it is
    /// [trusted](super::Settings::trusted_proxies) to say for whom.
    pub this_machine: bool,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { per_address: Some(300), per_login: Some(300), this_machine: false }
    }
}
