//! The modules of the server import each other one way, as ARCHITECTURE.md draws them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../core/tests/structure/graph.rs"]
mod graph;
#[allow(dead_code, reason = "the structure tests of core use the rest")]
#[path = "../../core/tests/structure/source.rs"]
mod source;

use std::collections::BTreeSet;

use graph::{graph, rings};

/// The top-level modules in layers, from the bottom. A module imports only from the layers below its own. A new module
/// gets a layer here. `lib.rs` is above all of them.
const LAYERS: [&[&str]; 10] = [
    &["auth", "metrics", "passive", "priority", "receipts", "tls", "wire_time"],
    &["settings"],
    &["live"],
    &["error"],
    &["state", "image_data"],
    &["request"],
    &["net", "responses"],
    &["router", "web_socket"],
    &["api", "commands", "openapi", "web"],
    &["internals"],
];

/// The subcommands of the binary. The files of one share its arguments and its findings, and nothing outside imports
/// them.
const COMMANDS: &str = "commands";

#[test]
fn no_modules_import_each_other_in_a_ring() {
    let graph = graph(|module| {
        let depth = if module.first().is_some_and(|first| first == COMMANDS) { 2 } else { module.len() };
        module.iter().take(depth).cloned().collect::<Vec<_>>().join("::")
    });
    assert!(graph.len() > 50, "only {} modules were read", graph.len());
    assert_eq!(rings(&graph), Vec::<String>::new());
}

#[test]
fn every_top_level_module_imports_from_lower_layers_only() {
    let graph = graph(|module| module.first().cloned().unwrap_or_default());
    let layer_of = |name: &str| LAYERS.iter().position(|layer| layer.contains(&name));
    let known: BTreeSet<&str> = LAYERS.iter().flat_map(|layer| layer.iter().copied()).collect();
    let mut wrong = Vec::new();
    for (from, imports) in graph.iter().filter(|(from, _)| !from.is_empty()) {
        assert!(known.contains(from.as_str()), "{from} is in no layer");
        for (to, names) in imports {
            if layer_of(to) >= layer_of(from) {
                wrong.push(format!("{from} -> {to} ({})", names.iter().cloned().collect::<Vec<_>>().join(" ")));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
