//! Our index in a process of its own, as `benches/python/indexes.py` is for the others.

use std::fs;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use faceattend_benches::{Crowd, Outcome, memory_kib, processor_time};
use faceattend_core::embedding::Embedding;
use faceattend_core::gallery::Gallery;
use faceattend_core::internals::search_on;
use serde_json::{Value, json};

use crate::indexes::{Kind, Request, probes_file};

/// People who are made at a time.
const BLOCK: usize = 1_000;

/// Serves until its input ends.
pub(crate) fn serve(folder: &Path) -> Outcome<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{}", json!({}))?;
    let mut index = None;
    for line in std::io::stdin().lock().lines() {
        let answer = match (serde_json::from_str(&line?)?, &index) {
            (Request::Build { kind, dimension, people, .. }, _) => {
                let (built, answer) = Index::build(folder, kind, dimension, people)?;
                index = Some(built);
                answer
            }
            (Request::Search { k }, Some(index)) => index.search(k)?,
            (Request::Search { .. }, None) => return Err("there is no index yet".into()),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

struct Index {
    gallery: Gallery,
    threads: usize,
    probes: Vec<Embedding>,
}

impl Index {
    fn build(folder: &Path, kind: Kind, dimension: usize, people: usize) -> Outcome<(Self, Value)> {
        let threads = match kind {
            Kind::OursThreaded => std::thread::available_parallelism()?.get(),
            _ => 1,
        };
        let crowd = Crowd::new(dimension);
        let model = crowd.embedder().model;
        // What threads and buffers take, before memory is looked at.
        let small = Gallery::new(crowd.embedder());
        small.load(crowd.people(3000))?;
        drop(small);
        let before = resident_kib()?;
        let gallery = Gallery::new(crowd.embedder());
        // People are made on the thread that hands them over: that part of the processor's time is not the index's.
        let (mut making, began) = (0.0, processor_secs()?);
        gallery.load((0..people).step_by(BLOCK).flat_map(|from| {
            let began = Instant::now();
            let block: Vec<_> = crowd.people_at(from..people.min(from + BLOCK)).collect();
            making += began.elapsed().as_secs_f64();
            block
        }))?;
        let secs = processor_secs()? - began - making;
        let answer = json!({ "build_secs": secs.max(0.0), "kib": resident_kib()? - before, "built": gallery.people() });
        let bytes = fs::read(folder.join(probes_file(dimension, people)))?;
        let probes = bytes.chunks_exact(dimension * size_of::<f32>());
        let probes = probes.map(|bytes| Embedding::from_bytes(model.clone(), bytes)).collect::<Result<_, _>>()?;
        Ok((Self { gallery, threads, probes }, answer))
    }

    fn search(&self, k: usize) -> Outcome<Value> {
        let (mut ms, mut found) = (Vec::new(), Vec::new());
        for probe in &self.probes {
            let began = Instant::now();
            let matches = search_on(&self.gallery, probe, k, self.threads)?;
            ms.push(began.elapsed().as_secs_f64() * 1e3);
            found.push(matches.into_iter().map(|found| found.student.0).collect::<Vec<_>>());
        }
        Ok(json!({ "ms": ms, "found": found }))
    }
}

/// The memory that this process holds, as Linux counts it.
fn resident_kib() -> Outcome<i64> {
    let kib = memory_kib(std::process::id(), "VmRSS").ok_or("memory is counted on Linux alone")?;
    Ok(kib.try_into()?)
}

/// The seconds that all threads of this process have worked, in hundredths.
fn processor_secs() -> Outcome<f64> {
    Ok(processor_time(std::process::id()).ok_or("no time of processors")?.as_secs_f64())
}
