//! Model packs and the sessions that run them.
