//! How the passwords of the kept cameras lie in the database.

use faceattend_core::store::{KeptAddress, Store, TemplateForms, TemplateKeys};

use super::Finding;

const SUBJECT: &str = "camera passwords";

/// Returns what there is to say of the cameras' passwords to a server that has these keys; nothing where no camera has
/// one.
pub(super) fn passwords(store: &dyn Store, keys: &TemplateKeys) -> Option<Finding> {
    match store.camera_password_forms() {
        Ok(forms) => of_forms(&forms, keys, || locked(store, keys)),
        Err(error) => {
            Some(Finding::problem(SUBJECT, error.to_string(), "`faceattend doctor` again when nothing else runs"))
        }
    }
}

fn of_forms(forms: &TemplateForms, keys: &TemplateKeys, locked: impl FnOnce() -> Vec<String>) -> Option<Finding> {
    let all = forms.plain + forms.broken + forms.sealed.values().sum::<u64>();
    if all == 0 {
        return None;
    }
    let known = keys.ids();
    if forms.broken > 0 || forms.sealed.keys().any(|id| !known.contains(id)) {
        let found = format!("those of {} cannot be read: they are not watched", locked().join(", "));
        let advice = "start with the key file that holds their key (--template-key-file FILE), or type the passwords \
                      again on the page Cameras";
        return Some(Finding::problem(SUBJECT, found, advice));
    }
    Some(match keys.sealing_key() {
        None => Finding::warning(
            SUBJECT,
            format!("{all} lie in the database as they are"),
            "encrypt them: `faceattend keys new FILE`, then `faceattend keys rotate` and every start with \
             --template-key-file FILE",
        ),
        Some(first) => {
            let sealed = forms.sealed.get(&first).copied().unwrap_or_default();
            if sealed == all {
                Finding::ok(SUBJECT, format!("each is encrypted with {first}"))
            } else {
                let found = format!("{} are not encrypted with the first key", all - sealed);
                Finding::warning(SUBJECT, found, "`faceattend keys rotate` with the same key file")
            }
        }
    })
}

/// The names of the cameras whose passwords these keys do not open. A store without keys opens no sealed one.
fn locked(store: &dyn Store, keys: &TemplateKeys) -> Vec<String> {
    let known: Vec<String> = keys.ids().iter().map(ToString::to_string).collect();
    let cameras = store.kept_cameras().unwrap_or_default().into_iter();
    let is_locked = |address: &KeptAddress| match address {
        KeptAddress::Known(_) => false,
        KeptAddress::Locked(reason) => !known.iter().any(|id| reason.contains(id)),
    };
    cameras.filter(|camera| is_locked(&camera.address)).map(|camera| camera.name).collect()
}

#[cfg(test)]
mod tests {
    use faceattend_core::store::prelude::*;
    use faceattend_core::store::{CameraGroup, CameraReach, CameraSettings, NewKeptCamera, SqliteStore, TemplateKey};
    use jiff::Timestamp;

    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_password_that_lies_there_plain_or_that_nobody_can_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (none, one, two) = (
            TemplateKeys::none(),
            TemplateKeys::new(vec![TemplateKey::generate()]),
            TemplateKeys::new(vec![TemplateKey::generate()]),
        );
        let with = |keys: &TemplateKeys| SqliteStore::open_with_keys(folder.path().join("a.db"), keys.clone()).unwrap();
        let verdict = |keys: &TemplateKeys| passwords(&with(&none), keys).map(|finding| finding.verdict);
        let keep = |keys: &TemplateKeys, name: &str, address: &str| {
            let settings = CameraSettings { name: Some(name.into()), ..CameraSettings::at(address) };
            let new = NewKeptCamera {
                group: CameraGroup::Usual,
                only_at: None,
                settings,
                reach: CameraReach::Permitted,
                paused: false,
                by: "admin".into(),
                at: Timestamp::now(),
            };
            with(keys).keep_camera(&new).unwrap();
        };
        keep(&none, "Device", "0");
        assert_eq!(verdict(&none), None, "no camera has a password");
        keep(&none, "Gate", "rtsp://user:S3CRET@host/1");
        assert_eq!((verdict(&none), verdict(&one)), (Some(Verdict::Warning), Some(Verdict::Warning)));
        with(&one).reseal_templates(&mut |_| {}).unwrap();
        assert_eq!((verdict(&one), verdict(&two)), (Some(Verdict::Ok), Some(Verdict::Problem)));
        let found = passwords(&with(&none), &none).unwrap();
        assert!(found.verdict == Verdict::Problem && found.found.contains("Gate"), "{}", found.found);
    }
}
