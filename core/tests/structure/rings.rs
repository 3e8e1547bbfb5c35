//! Modules import each other one way.

use crate::graph::{Graph, graph, rings};

/// Folders that are one thing in several files. The methods of a database call each other across its files (an
/// enrolment creates a student, an erasure deletes sessions), and the codec's cipher takes the codec's own types.
/// Nothing outside the folder is part of such a ring.
const ONE_THING: [&str; 3] = ["store::codec", "store::postgres", "store::sqlite"];

#[test]
fn no_modules_import_each_other_in_a_ring() {
    let graph = graph(|module| {
        let path = module.join("::");
        let folder = ONE_THING.iter().find(|folder| path == **folder || path.starts_with(&format!("{folder}::")));
        folder.map_or(path.clone(), |folder| (*folder).to_owned())
    });
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
