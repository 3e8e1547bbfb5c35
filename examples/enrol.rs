//! Enrols people from pictures into a SQLite file, then says who is in one more picture.
//!
//! ```text
//! cargo run --release --package faceattend-examples --example enrol -- people.db \
//!     "Eileen Collins=examples/media/collins/center.jpg" "Grace Hopper=examples/media/hopper/center.jpg" \
//!     --who examples/media/hopper/yaw+15.jpg
//! ```
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use faceattend_core::recognition::load_gallery;
use faceattend_core::store::prelude::*;
use faceattend_core::{Engine, Frame, Gallery, Identification, SqliteStore, Threshold, Timestamp};
use faceattend_examples::Outcome;

fn main() -> Outcome {
    let mut args = std::env::args().skip(1);
    let database = args.next().ok_or("usage: enrol DATABASE NAME=PICTURE... --who PICTURE")?;
    let engine = Engine::new()?;
    let store = SqliteStore::open(&database)?;

    for (index, arg) in args.by_ref().take_while(|arg| arg != "--who").enumerate() {
        let (name, path) = arg.split_once('=').ok_or("people are given as NAME=PICTURE")?;
        let picture = engine.embed(&Frame::open(path)?)?;
        println!("{name}: {}", picture.advice());
        let embedding = picture.into_template()?;
        let roll_number = format!("R{:03}", index + 1);
        let student = store.create_student(name, &roll_number, Timestamp::now())?;
        store.replace_templates(student.id, &[embedding], Timestamp::now())?;
        println!("{name} is enrolled as {roll_number}");
    }

    let gallery = Gallery::new(engine.embedder().clone());
    load_gallery(&gallery, &store, None)?;
    if let Some(path) = args.next() {
        let probe = engine.embed(&Frame::open(&path)?)?.into_embedding().ok_or("no face could be made out")?;
        match gallery.identify(&probe, Threshold::DOCUMENTED)? {
            Identification::Known { best, .. } => {
                let name = store.student(best.student)?.map_or_else(|| "somebody".into(), |s| s.name);
                println!("{path}: {name}, similarity {:.3}", best.similarity.value());
            }
            Identification::Unknown { best } => {
                let nearest = best.map_or(0.0, |b| b.similarity.value());
                println!("{path}: nobody enrolled (the nearest has {nearest:.3})");
            }
        }
    }
    Ok(())
}
