//! Who is enrolled: the three people of the clip.

use std::path::Path;

use faceattend_benches::frame;
use faceattend_core::engine::{AnalyzeOptions, Antispoof, Depth, Engine};
use faceattend_core::store::SqliteStore;
use faceattend_core::store::prelude::*;
use jiff::Timestamp;

use crate::{Arguments, Outcome};

/// Enrols everybody in the database of a server's data folder.
pub(crate) fn enrol(arguments: &Arguments, data: &Path) -> Outcome<()> {
    let engine = Engine::builder()
        .with_detector_file(&arguments.detector, None)
        .with_embedder_file(&arguments.embedder, None)
        .with_antispoof(Antispoof::Off)
        .build()?;
    std::fs::create_dir_all(data)?;
    let store = SqliteStore::open(data.join("face_attendance.db"))?;
    let options = AnalyzeOptions::default().with_depth(Depth::Embedding);
    for (number, (name, jpeg)) in faceattend_benches::portraits_720p().into_iter().take(3).enumerate() {
        let face = engine.analyze(&frame(&jpeg), &options)?.faces.into_iter().next();
        let embedding = face.and_then(|face| face.embedding).ok_or_else(|| format!("no face of {name}"))?;
        let student = store.create_student(&name, &format!("R{number}"), Timestamp::now())?;
        store.replace_templates(student.id, &[embedding], Timestamp::now())?;
    }
    Ok(())
}
