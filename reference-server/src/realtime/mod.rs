//! Tells clients at once what happens: the events and the WebSocket that carries them.

pub(crate) mod events;
pub(crate) mod web_socket;
