//! Sealing and opening.

use super::forms::{NONCE_BYTES, TAG_BYTES};
use super::*;

fn keys() -> TemplateKeys {
    TemplateKeys::new(vec![TemplateKey::generate()])
}

fn context() -> SealContext {
    SealContext::new(FaceColumn::StudentFaceEmbedding, 7)
}

#[test]
fn what_is_sealed_opens_again_and_shows_nothing() {
    let (keys, plain) = (keys(), [7_u8; 2048]);
    let sealed = keys.seal_bytes(&context(), &plain).unwrap();
    assert_eq!(form_of_bytes(&sealed), Form::Sealed(keys.sealing_key().unwrap()));
    assert!(!sealed.windows(8).any(|window| window == [7; 8]));
    assert_eq!(*keys.open_bytes(&context(), &sealed).unwrap(), plain);
    let text = keys.seal_text(&context(), "[0.25,0.5]").unwrap();
    assert!(text.starts_with("sealed:1:") && !text.contains("0.25"), "{text}");
    assert_eq!(keys.open_text(&context(), &text).unwrap(), "[0.25,0.5]");
    assert_ne!(keys.seal_text(&context(), "[0.25,0.5]").unwrap(), text, "a nonce is used once");
}

#[test]
fn the_name_of_a_key_has_one_spelling() {
    // What names the key is not bound to the value: a changed letter must not open.
    let keys = TemplateKeys::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    let (id, text) = (keys.sealing_key().unwrap().to_string(), keys.seal_text(&context(), "[1.0]").unwrap());
    let capitals = text.replacen(&id, &id.to_ascii_uppercase(), 1);
    assert!(text != capitals && keys.open_text(&context(), &text).is_ok());
    assert_eq!(keys.open_text(&context(), &capitals), Err(NotOpened::Damaged));
}

#[test]
fn without_keys_everything_stays_as_it_is() {
    let none = TemplateKeys::none();
    assert_eq!(none.seal_text(&context(), "[1.0]").unwrap(), "[1.0]");
    assert_eq!(*none.seal_bytes(&context(), &[1, 2, 3, 4]).unwrap(), [1, 2, 3, 4]);
    assert_eq!(keys().open_text(&context(), "[1.0]").unwrap_err(), NotOpened::Plain);
    assert_eq!(keys().accepting_plain().open_text(&context(), "[1.0]").unwrap(), "[1.0]");
}

#[test]
fn a_missing_or_wrong_key_is_told_by_its_name() {
    let right = keys();
    let id = right.sealing_key().unwrap();
    let sealed = right.seal_text(&context(), "[1.0]").unwrap();
    for wrong in [TemplateKeys::none(), keys()] {
        let refused = wrong.open_text(&context(), &sealed).unwrap_err();
        assert_eq!(refused, NotOpened::NoKey(id));
        let told = refused.at(&context()).to_string();
        assert!(told.contains(&id.to_string()) && told.contains("--template-key-file"), "{told}");
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    let keys = keys();
    let sealed = keys.seal_bytes(&context(), b"a face, a face").unwrap().into_owned();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        match keys.open_bytes(&context(), &changed) {
            Ok(_) => panic!("byte {at}"),
            // A change in the mark makes it plain to look at, as any bytes are.
            Err(NotOpened::Plain) => assert!(at < BYTES_MARK.len(), "byte {at}"),
            Err(NotOpened::NoKey(_)) => assert!((BYTES_MARK.len()..BYTES_MARK.len() + ID_BYTES).contains(&at)),
            Err(refused) => assert_eq!(refused, NotOpened::Damaged, "byte {at}"),
        }
    }
    for length in 0..sealed.len() {
        assert!(keys.open_bytes(&context(), &sealed[..length]).is_err(), "cut to {length}");
    }
    for text in ["sealed:1:", "sealed:1:xyz:AAAA", "sealed:1:0011223344556677", "sealed:1:é011223344556677:A"] {
        assert_eq!(keys.open_text(&context(), text).unwrap_err(), NotOpened::Damaged, "{text}");
    }
}

#[test]
fn a_value_in_another_place_does_not_open() {
    let keys = keys();
    let sealed = keys.seal_text(&context(), "[1.0]").unwrap();
    for elsewhere in [
        SealContext::new(FaceColumn::StudentFaceEmbedding, 8),
        SealContext::new(FaceColumn::StudentEmbeddingVector, 7),
        SealContext::new(FaceColumn::SessionState, 7),
        context().of_model(Some("another model")),
    ] {
        assert_eq!(keys.open_text(&elsewhere, &sealed).unwrap_err(), NotOpened::Damaged, "{elsewhere}");
    }
}

#[test]
fn an_older_key_still_opens_and_the_first_seals() {
    let old = keys();
    let sealed = old.seal_text(&context(), "[1.0]").unwrap();
    let both = old.clone().with_first(TemplateKey::generate());
    assert_eq!(both.open_text(&context(), &sealed).unwrap(), "[1.0]");
    let fresh = both.seal_text(&context(), "[1.0]").unwrap();
    assert_eq!(form_of_text(&fresh), Form::Sealed(both.sealing_key().unwrap()));
    assert!(matches!(old.open_text(&context(), &fresh), Err(NotOpened::NoKey(_))));
}

#[test]
fn numbers_that_look_like_the_mark_are_numbers() {
    let mut vector = BYTES_MARK.to_vec();
    vector.resize(512 * 4, 0);
    assert_eq!(form_of_bytes(&vector), Form::Plain);
    for numbers in 1..2000 {
        let sealed = BYTES_MARK.len() + ID_BYTES + NONCE_BYTES + 4 * numbers + TAG_BYTES;
        assert!(!sealed.is_multiple_of(4), "{numbers}");
    }
}

#[test]
fn keys_are_written_once_and_read_back_and_no_debug_shows_them() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("template-keys");
    let keys = keys().with_first(TemplateKey::generate());
    keys.write_new(&file).unwrap();
    assert_eq!(TemplateKeys::read(&file).unwrap().ids(), keys.ids());
    assert!(matches!(keys.write_new(&file), Err(Error::Conflict { .. })));
    let shown = format!("{keys:?}");
    assert!(keys.keys.iter().all(|key| !shown.contains(&key.to_text())), "{shown}");
    for bad in ["", "# nothing\n", "AAAA", "not a key"] {
        let refused = TemplateKeys::parse(bad).unwrap_err().to_string();
        assert!(refused.contains("faceattend keys new"), "{refused}");
    }
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("template-keys");
    keys().write_new(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let refused = TemplateKeys::read(&file).unwrap_err().to_string();
    assert!(refused.contains("chmod 600") && refused.contains("640"), "{refused}");
}
