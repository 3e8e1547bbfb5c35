//! Modules import each other one way.

use crate::graph::{Graph, graph, rings};
use crate::source::ModulePath;

/// A store is one thing in several files: the trait's methods in its `mod.rs` call the files beside it, which take the
/// store's own types from there. Nothing outside the folder is part of such a ring.
const ONE_THING: &str = "store";

#[test]
fn no_modules_import_each_other_in_a_ring() {
    let inside = |module: &ModulePath| module.first().is_some_and(|first| first == ONE_THING);
    let graph = graph(|module| if inside(module) { ONE_THING.to_owned() } else { module.join("::") });
    assert!(graph.len() > 80, "only {} modules were read", graph.len());
    assert_eq!(rings(&graph), Vec::<String>::new());
}

#[test]
fn no_folders_at_the_top_import_each_other_in_a_ring() {
    assert_eq!(rings(&graph(|module| module.first().cloned().unwrap_or_default())), Vec::<String>::new());
}

#[test]
fn a_ring_is_found() {
    let mut graph = Graph::new();
    for (from, to) in [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")] {
        graph.entry(from.into()).or_default().entry(to.into()).or_default().insert("x".into());
    }
    assert_eq!(rings(&graph), ["a -> b (x), b -> c (x), c -> a (x)"]);
}
