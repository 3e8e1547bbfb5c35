//! Choices of the operator with a few answers each.

/// Who chooses the order in which a liveness session asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ChallengePolicy {
    /// The client: existing ones follow the fixed order, the pages of this server ask for a random one.
    #[default]
    Optional,
    /// The server: a session without a random order is refused.
    Required,
}

/// Who may open the WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WebSocketAccess {
    /// Whoever brings a token, in the query or as the subprotocol.
    #[default]
    Token,
    /// Everybody, as in the existing service.
    Open,
}

/// What logging out does to the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Logout {
    /// It ends it, and every other token of the login.
    #[default]
    EndsLogin,
    /// Nothing: the client forgets its token, which stays good until it expires, as in the existing service.
    LeavesToken,
}
