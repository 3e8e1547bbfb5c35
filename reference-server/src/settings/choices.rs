//! Choices of the operator with a few answers each.

use crate::auth::Role;

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

/// To whom answers show the embedding of a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Embeddings {
    /// Admins. For everybody else the field is null.
    #[default]
    Admins,
    /// Every account that may read the answer, as in the existing service.
    Everyone,
}

impl Embeddings {
    /// Returns whether somebody of this role sees embeddings.
    pub(crate) fn are_shown_to(self, role: Role) -> bool {
        self == Self::Everyone || role == Role::Admin
    }
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
