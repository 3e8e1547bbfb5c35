//! Exports, the WebSocket and what clients send.
