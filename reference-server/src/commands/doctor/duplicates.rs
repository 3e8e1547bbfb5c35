//! People who may be enrolled twice.

use std::sync::Arc;

use faceattend_core::Result;
use faceattend_core::engine::Embedder;
use faceattend_core::enrolment::{DuplicatePolicy, Registry};
use faceattend_core::gallery::Gallery;
use faceattend_core::store::{SqliteStore, Store, TemplateKeys, schema};

use super::Finding;
use crate::commands::data_dir::default_data_dir;
use crate::commands::database::Place;
use crate::commands::serve::ServeArgs;

/// How many pairs are named.
const NAMED: usize = 20;
const SUBJECT: &str = "duplicates";

/// Who may be one person with two records, by faces that `embedder` made. Nothing where there is no database yet, or
/// one that cannot be read as it is: other findings say so.
pub(super) fn look(args: &ServeArgs, embedder: &Embedder) -> Option<Finding> {
    let store = opened(args)?;
    Some(among(&store, embedder).unwrap_or_else(|error| {
        Finding::problem(SUBJECT, error.to_string(), "`faceattend doctor` again when nothing else runs")
    }))
}

fn opened(args: &ServeArgs) -> Option<Arc<dyn Store>> {
    let keys: TemplateKeys = args.keys.read().ok()?;
    let dir = args.data_dir.clone().map_or_else(default_data_dir, Ok).ok()?;
    let place = args.database.place(|| Ok(dir)).ok()?;
    // To open an older database would migrate it.
    let is_current = match &place {
        Place::File(path) => {
            let seen = path.exists().then(|| SqliteStore::inspect(path).ok()).flatten()?;
            seen.schema == seen.newest_schema && seen.damage.is_empty() && seen.not_writable.is_none()
        }
        shared @ Place::Url(_) => shared.survey().ok()?.schema == schema::newest_version(),
    };
    is_current.then(|| place.open(keys).ok()).flatten()
}

fn among(store: &Arc<dyn Store>, embedder: &Embedder) -> Result<Finding> {
    let gallery = Arc::new(Gallery::new(embedder.clone()));
    let registry = Registry::new(Arc::clone(store)).with_gallery(gallery, DuplicatePolicy::Allow);
    registry.load_gallery()?;
    let Some(pairs) = registry.look_alikes() else {
        return Ok(Finding::ok(
            SUBJECT,
            "not looked for: there are too many people to compare everybody with everybody",
        ));
    };
    if pairs.is_empty() {
        return Ok(Finding::ok(SUBJECT, "nobody is enrolled twice, as far as faces tell"));
    }
    let mut details = Vec::new();
    for pair in pairs.iter().take(NAMED) {
        let [earlier, later] = [store.student(pair.earlier)?, store.student(pair.later)?];
        let (Some(earlier), Some(later)) = (earlier, later) else { continue };
        details.push(format!(
            "{} ({}) and {} ({}): similarity {:.2}",
            earlier.name,
            earlier.roll_number,
            later.name,
            later.roll_number,
            pair.similarity.value()
        ));
    }
    if pairs.len() > NAMED {
        details.push(format!("and {} more", pairs.len() - NAMED));
    }
    let pairs = match pairs.len() {
        1 => "one pair of students has".to_owned(),
        several => format!("{several} pairs of students have"),
    };
    let found = format!("{pairs} faces as alike as one person's: cameras may mark neither");
    Ok(Finding {
        details,
        ..Finding::warning(SUBJECT, found, "if they are one person, merge them on the page Students; twins stay two")
    })
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};
    use faceattend_core::embedding::{Calibration, Embedding};
    use faceattend_core::store::prelude::*;
    use faceattend_core::types::ModelId;
    use jiff::Timestamp;

    use super::super::Verdict;
    use super::*;
    use crate::commands::database::DATABASE;

    #[test]
    fn who_is_enrolled_twice_is_named_with_both_names() {
        let dir = tempfile::tempdir().unwrap();
        let command = ServeArgs::augment_args(clap::Command::new("serve"));
        let given = ["serve", "--data-dir", dir.path().to_str().unwrap()];
        let args = ServeArgs::from_arg_matches(&command.get_matches_from(given)).unwrap();
        let embedder = Embedder::new(ModelId::new("m"), 2, Calibration::arcface());
        assert_eq!(look(&args, &embedder), None, "no database yet, and none is made");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let store = SqliteStore::open(dir.path().join(DATABASE)).unwrap();
        let now = Timestamp::now();
        let face = |values: &[f32]| Embedding::from_raw(ModelId::new("m"), values).unwrap();
        for (name, roll, values) in [("Asha", "R1", [1.0, 0.0]), ("Ben", "R2", [0.0, 1.0])] {
            let id = store.create_student(name, roll, now).unwrap().id;
            store.replace_templates(id, &[face(&values)], now).unwrap();
        }
        assert_eq!(look(&args, &embedder).unwrap().verdict, Verdict::Ok);
        let again = store.create_student("Asha R.", "R1-copy", now).unwrap().id;
        store.replace_templates(again, &[face(&[1.0, 0.01])], now).unwrap();
        let finding = look(&args, &embedder).unwrap();
        assert_eq!(finding.verdict, Verdict::Warning);
        assert_eq!(finding.details, ["Asha (R1) and Asha R. (R1-copy): similarity 1.00"]);
    }
}
