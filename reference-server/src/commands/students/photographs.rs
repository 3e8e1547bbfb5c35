//! Photographs of the people of a list: enrolled without liveness.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use faceattend_core::engine::Engine;
use faceattend_core::enrolment::{
    Actor, DuplicatePolicy, FaceThatIsThere, OfPhotographs, Photograph, UnprovenOutcome, UnusedPhotograph, known_as,
};
use faceattend_core::roster_file::{MatchedPhotographs, Photographs, match_photographs};
use faceattend_core::store::{Page, Store, Student};
use faceattend_core::{Error, Gallery, Registry, Result};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{ACTOR, entry};
use crate::commands::say;

/// Photographs, and the models that take faces from them.
#[derive(Debug, Args)]
pub(super) struct PhotographArgs {
    /// A folder or a ZIP of photographs, each named by the roll number (017.jpg, 017_2.jpg), which enrol the people of
    /// the list without liveness. One who has a face keeps it, so an import that was cut off goes on where it was
    #[arg(long, value_name = "ZIP|FOLDER")]
    photos: Option<PathBuf>,
    /// Replaces faces that are stored by those of the photographs
    #[arg(long, requires = "photos")]
    replace_faces: bool,
    /// What happens to a face that is another student's: refuse, warn or allow
    #[arg(
        long,
        env = "FACEATTEND_DUPLICATES",
        value_name = "WHAT",
        default_value = "refuse",
        value_parser = duplicates
    )]
    duplicates: DuplicatePolicy,
    /// The folder of model packs [default: faceattend/models among the user's data]
    #[arg(long, env = "FACEATTEND_MODELS", value_name = "DIR")]
    models_dir: Option<PathBuf>,
    /// The model pack of the server, as `faceattend models list` names it
    #[arg(long, env = "FACEATTEND_PACK", value_name = "NAME")]
    pack: Option<String>,
    /// The ONNX Runtime library [default: the first one in the usual places]
    #[arg(long, env = "FACEATTEND_ONNXRUNTIME", value_name = "FILE")]
    onnxruntime: Option<PathBuf>,
}

fn duplicates(text: &str) -> Result<DuplicatePolicy, String> {
    DuplicatePolicy::parse(text).ok_or_else(|| "it is refuse, warn or allow".into())
}

/// What came of the photographs of everybody.
#[derive(Default)]
struct Told {
    enrolled: usize,
    had_faces: usize,
    wrong: Vec<UnusedPhotograph>,
}

/// Enrols the people whose photographs there are. Returns what came of it, where photographs are given.
pub(super) fn enrol(
    args: &PhotographArgs,
    store: &Arc<dyn Store>,
    dry_run: bool,
    quiet: bool,
) -> Result<Option<Value>> {
    let Some(path) = &args.photos else { return Ok(None) };
    let mut photographs = Photographs::open(path)?;
    let students = store.students(None, Page::ALL)?.items;
    let matched = match_photographs(photographs.names(), &students);
    let there = if args.replace_faces { FaceThatIsThere::Replace } else { FaceThatIsThere::Keep };
    let mut told = Told::default();
    let nobody =
        |name: &String| UnusedPhotograph { name: name.clone(), reason: "its name is nobody's roll number".into() };
    told.wrong.extend(matched.of_nobody.iter().map(nobody));
    let several = |name: &String| UnusedPhotograph {
        name: name.clone(),
        reason: "several students have this roll number: give all but one another number".into(),
    };
    told.wrong.extend(matched.of_several.iter().map(several));
    let wanted = matched.of.len();
    if dry_run {
        told.had_faces = matched.of.iter().filter(|(student, _)| there.suffices(student)).count();
    } else if wanted > 0 {
        enrol_all(args, store, &mut photographs, matched, there, &mut told)?;
        let details = format!("{} students enrolled by photographs, without liveness", told.enrolled);
        store.add_audit(&entry("students import --photos", details))?;
    }
    if !quiet {
        for UnusedPhotograph { name, reason } in &told.wrong {
            say(&format!("{name}: {reason}"));
        }
        let would = if dry_run { "Photographs of" } else { "Enrolled" };
        let count = if dry_run { wanted } else { told.enrolled };
        say(&format!(
            "{would} {count} students{}; {} had a face already; {} photographs were not used.",
            if dry_run { "" } else { " by photographs, without liveness" },
            told.had_faces,
            told.wrong.len()
        ));
    }
    let wrong: Vec<Value> = told.wrong.iter().map(|its| json!({ "file": its.name, "reason": its.reason })).collect();
    Ok(Some(json!({
        "students": wanted, "enrolled": told.enrolled, "had_faces": told.had_faces, "not_used": wrong,
    })))
}

fn enrol_all(
    args: &PhotographArgs,
    store: &Arc<dyn Store>,
    photographs: &mut Photographs,
    matched: MatchedPhotographs,
    there: FaceThatIsThere,
    told: &mut Told,
) -> Result<()> {
    let mut builder = Engine::builder();
    if let Some(folder) = &args.models_dir {
        builder = builder.with_models_folder(folder);
    }
    if let Some(pack) = &args.pack {
        builder = builder.with_pack(pack);
    }
    if let Some(library) = &args.onnxruntime {
        builder = builder.with_onnxruntime(library);
    }
    let engine = builder.build()?;
    let gallery = Arc::new(Gallery::new(engine.embedder().clone()));
    let registry = Registry::new(Arc::clone(store)).with_gallery(gallery, args.duplicates);
    registry.load_gallery()?;
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} students, {eta} left");
    let bar = ProgressBar::new(matched.of.len() as u64);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    for (student, names) in matched.of {
        if there.suffices(&student) {
            told.had_faces += 1;
        } else {
            enrol_one(&engine, &registry, photographs, &student, &names, told)?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

fn enrol_one(
    engine: &Engine,
    registry: &Registry,
    photographs: &mut Photographs,
    student: &Student,
    names: &[String],
    told: &mut Told,
) -> Result<()> {
    let mut read = Vec::new();
    for name in names {
        match photographs.read(name) {
            Ok(bytes) => read.push((name, bytes)),
            Err(error @ (Error::InvalidImage { .. } | Error::Io { .. })) => {
                told.wrong.push(UnusedPhotograph { name: name.clone(), reason: error.to_string() });
            }
            Err(error) => return Err(error),
        }
    }
    let given: Vec<Photograph<'_>> = read.iter().map(|(name, bytes)| Photograph { name, bytes }).collect();
    // Whoever has the command line may do what an admin may.
    let actor = Actor::named(ACTOR).replacing_unlike_faces(true);
    let OfPhotographs { outcome, unused, .. } =
        registry.enrol_by_photographs(engine, student.id, &given, actor, Timestamp::now())?;
    told.wrong.extend(unused);
    let mut whole = |reason: String| {
        told.wrong.push(UnusedPhotograph { name: names.join(", "), reason });
    };
    match outcome {
        Some(UnprovenOutcome::Enrolled { .. }) => told.enrolled += 1,
        Some(UnprovenOutcome::Refused(found)) => {
            whole(format!("{}: student {}", known_as(&found).advice(), found.student));
        }
        Some(UnprovenOutcome::Unlike) => whole("the face is unlike the one that is stored".into()),
        Some(UnprovenOutcome::UnknownStudent) => whole("the student was deleted meanwhile".into()),
        None => {}
    }
    Ok(())
}
