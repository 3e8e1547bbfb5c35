use std::collections::HashMap;

use proptest::prelude::*;

use super::segments::SEGMENT_ROWS;
use super::*;
use crate::embedding::Calibration;
use crate::error::ErrorKind;
use crate::types::ModelId;

fn embedder(dimension: usize) -> Embedder {
    Embedder { model: ModelId::new("m"), dimension, calibration: Calibration::arcface() }
}

fn embedding(raw: &[f32]) -> Embedding {
    Embedding::from_raw(ModelId::new("m"), raw).unwrap()
}

/// A pseudo-random unit vector: the same for the same seed.
pub(super) fn random(dimension: usize, seed: u64) -> Embedding {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let raw: Vec<f32> = (0..dimension)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            #[expect(clippy::cast_precision_loss, reason = "any number will do")]
            let value = (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0;
            value
        })
        .collect();
    embedding(&raw)
}

/// The search as one would write it first, in f64: the cosine to the mean of a person's views.
fn naive(people: &HashMap<i64, Vec<Embedding>>, probe: &Embedding) -> Vec<(i64, f64)> {
    let cosine = |views: &Vec<Embedding>| {
        let sum: Vec<f64> =
            (0..probe.values().len()).map(|d| views.iter().map(|view| f64::from(view.values()[d])).sum()).collect();
        let length = sum.iter().map(|v| v * v).sum::<f64>().sqrt();
        let dot: f64 = sum.iter().zip(probe.values()).map(|(a, b)| a * f64::from(*b)).sum();
        // In one dimension two views may be opposite: no mean.
        if length > 1e-6 { dot / length } else { 0.0 }
    };
    let mut found: Vec<(i64, f64)> =
        people.iter().filter(|(_, views)| !views.is_empty()).map(|(id, views)| (*id, cosine(views))).collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found
}

#[derive(Debug, Clone)]
enum Change {
    Insert(i64, usize),
    Replace(i64, usize),
    Remove(i64),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => (0i64..40, 1usize..4).prop_map(|(id, n)| Change::Insert(id, n)),
        1 => (0i64..40, 1usize..4).prop_map(|(id, n)| Change::Replace(id, n)),
        1 => (0i64..40).prop_map(Change::Remove),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn search_agrees_with_the_naive_one_after_any_changes(
        dimension in prop::sample::select(vec![1usize, 3, 7, 16, 33, 128]),
        changes in prop::collection::vec(change(), 0..60),
        probe in any::<u64>(), k in 0usize..50,
    ) {
        let gallery = Gallery::new(embedder(dimension));
        let mut people: HashMap<i64, Vec<Embedding>> = HashMap::new();
        let mut seed = probe;
        let mut template = || {
            seed = seed.wrapping_add(1);
            random(dimension, seed)
        };
        let mut templates = |n: usize| (0..n).map(|_| template()).collect::<Vec<_>>();
        for change in changes {
            match change {
                Change::Insert(id, n) => {
                    let new = templates(n);
                    gallery.insert(StudentId(id), &new).unwrap();
                    people.entry(id).or_default().extend(new);
                }
                Change::Replace(id, n) => {
                    let new = templates(n);
                    gallery.replace(StudentId(id), &new).unwrap();
                    people.insert(id, new);
                }
                Change::Remove(id) => {
                    prop_assert_eq!(gallery.remove(StudentId(id)), people.remove(&id).is_some());
                }
            }
        }
        prop_assert_eq!(gallery.people(), people.len());
        prop_assert_eq!(gallery.templates(), people.values().map(Vec::len).sum::<usize>());
        let probe = random(dimension, probe.wrapping_mul(31));
        let expected = naive(&people, &probe);
        let found = gallery.search(&probe, k).unwrap();
        prop_assert_eq!(found.len(), k.min(people.len()));
        for (found, (_, cosine)) in found.iter().zip(&expected) {
            // f32 sums of up to 128 products differ from f64 by some 1e-6; ranks may swap only within that.
            prop_assert!((f64::from(found.cosine.0) - cosine).abs() < 1e-5, "{found:?} {cosine}");
            let own = expected.iter().find(|(id, _)| *id == found.student.0).unwrap().1;
            prop_assert!((own - cosine).abs() < 1e-5);
        }
        let students: std::collections::HashSet<_> = found.iter().map(|m| m.student).collect();
        prop_assert_eq!(students.len(), found.len(), "each person once");
    }
}

#[test]
fn rows_move_between_segments_when_people_leave() {
    let gallery = Gallery::new(embedder(8));
    let count = 3 * SEGMENT_ROWS as i64 + 5;
    let face = |id: i64| random(8, id as u64 + 1);
    assert_eq!(gallery.load((0..count).map(|id| (StudentId(id), vec![face(id)]))).unwrap(), count as usize);
    for id in (0..count).filter(|id| id % 3 == 0) {
        assert!(gallery.remove(StudentId(id)), "{id}");
    }
    assert_eq!(gallery.templates(), (0..count).filter(|id| id % 3 != 0).count());
    for id in (0..count).step_by(7) {
        let best = gallery.search(&face(id), 1).unwrap()[0];
        assert_eq!(best.student == StudentId(id), id % 3 != 0, "{id}: {best:?}");
    }
}

#[test]
fn people_who_are_loaded_at_once_are_those_who_are_inserted_one_by_one() {
    let people = 4 * SEGMENT_ROWS as i64 + 100;
    let views = |id: i64| (0..1 + id % 3).map(|view| random(8, (7 * id + view) as u64 + 1)).collect::<Vec<_>>();
    let one_by_one = Gallery::new(embedder(8));
    for id in (0..people).filter(|id| id % 50 != 0) {
        one_by_one.insert(StudentId(id), &views(id)).unwrap();
    }
    // Some have no view, and some of those of the first segment come once more at the end.
    let all = (0..people).map(|id| (StudentId(id), if id % 50 == 0 { Vec::new() } else { views(id) }));
    let split = |(student, views): (StudentId, Vec<Embedding>)| {
        let first = if student.0 < 300 { views.into_iter().take(1).collect() } else { views };
        (student, first)
    };
    let later = (0..300).filter(|id| id % 50 != 0).map(|id| (StudentId(id), views(id).split_off(1)));
    let at_once = Gallery::new(embedder(8));
    assert_eq!(at_once.load(all.map(split).chain(later)).unwrap(), one_by_one.people());
    assert_eq!((at_once.people(), at_once.templates()), (one_by_one.people(), one_by_one.templates()));
    for seed in 0..50 {
        let probe = random(8, seed);
        let (found, expected) = (at_once.search(&probe, 5).unwrap(), one_by_one.search(&probe, 5).unwrap());
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found.cosine.0 - expected.cosine.0).abs() < 1e-6, "{found:?} {expected:?}");
        }
    }
    // Rows are where they are looked for: whoever is taken out is gone, and nobody else.
    for id in (1..people).step_by(97).filter(|id| id % 50 != 0) {
        assert!(at_once.remove(StudentId(id)) && one_by_one.remove(StudentId(id)));
        let probe = random(8, (7 * id) as u64 + 1);
        assert_eq!(told(&at_once.search(&probe, 1).unwrap())[0].0, told(&one_by_one.search(&probe, 1).unwrap())[0].0);
    }
}

#[test]
fn a_load_that_fails_half_way_changes_nothing() {
    let gallery = Gallery::new(embedder(2));
    gallery.insert(StudentId(1), &[embedding(&[1.0, 0.0])]).unwrap();
    let failed = gallery.fill(|put| {
        for id in 0..3 * SEGMENT_ROWS as i64 {
            put(StudentId(id), vec![embedding(&[0.6, 0.8])])?;
        }
        Err(Error::NotFound { what: "rest" })
    });
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!((gallery.people(), gallery.contains(StudentId(1))), (1, true));
}

#[test]
fn a_snapshot_in_use_is_not_changed_by_a_writer() {
    let gallery = Gallery::new(embedder(2));
    gallery.insert(StudentId(1), &[embedding(&[1.0, 0.0])]).unwrap();
    let held = gallery.snapshot.load_full();
    gallery.insert(StudentId(2), &[embedding(&[0.0, 1.0])]).unwrap();
    gallery.remove(StudentId(1));
    assert_eq!(held[0].owners, [StudentId(1)]);
    let mut row = [0.0; 2];
    held[0].read(0, &mut row);
    assert_eq!(row, [1.0, 0.0]);
}

#[test]
fn an_insert_shares_every_full_segment() {
    let gallery = Gallery::new(embedder(4));
    gallery.load((0..2 * SEGMENT_ROWS as i64 + 1).map(|id| (StudentId(id), vec![random(4, id as u64)]))).unwrap();
    let before = gallery.snapshot.load_full();
    gallery.insert(StudentId(-1), &[random(4, 1)]).unwrap();
    let after = gallery.snapshot.load_full();
    let shared: Vec<bool> = before.iter().zip(after.iter()).map(|(a, b)| Arc::ptr_eq(a, b)).collect();
    assert_eq!(shared, [true, true, false]);
}

#[test]
fn equal_people_come_by_their_key_whatever_the_order_of_rows() {
    for order in [[3, 1, 2], [1, 2, 3], [2, 3, 1]] {
        let gallery = Gallery::new(embedder(2));
        for id in order {
            gallery.insert(StudentId(id), &[embedding(&[1.0, 0.0])]).unwrap();
        }
        let found = gallery.search(&embedding(&[1.0, 0.0]), 2).unwrap();
        assert_eq!(found.iter().map(|m| m.student.0).collect::<Vec<_>>(), [1, 2]);
    }
}

#[test]
fn a_person_is_known_from_the_threshold_on_with_the_margin_to_the_next_person() {
    let gallery = Gallery::new(embedder(2));
    let probe = embedding(&[1.0, 0.0]);
    let threshold = Threshold::new(0.9).unwrap();
    assert_eq!(gallery.identify(&probe, threshold).unwrap(), Identification::Unknown { best: None });
    // Cosines 0.8 and 0.6: similarities 0.9 and 0.8.
    gallery.insert(StudentId(1), &[embedding(&[0.8001, 0.6])]).unwrap();
    let Identification::Known { best, margin } = gallery.identify(&probe, threshold).unwrap() else {
        unreachable!("it reaches the threshold")
    };
    assert_eq!((best.student, margin), (StudentId(1), best.similarity.value()));
    gallery.insert(StudentId(2), &[embedding(&[0.6, 0.8])]).unwrap();
    let Identification::Known { best, margin } = gallery.identify(&probe, threshold).unwrap() else {
        unreachable!("it reaches the threshold")
    };
    assert!((margin - 0.1).abs() < 1e-3 && (best.similarity.value() - 0.9).abs() < 1e-3, "{best:?} {margin}");
    let unknown = gallery.identify(&probe, Threshold::new(0.91).unwrap()).unwrap();
    assert_eq!(unknown, Identification::Unknown { best: Some(best) });
}

#[test]
fn a_person_is_matched_by_the_mean_of_all_views_however_they_came() {
    let views = [embedding(&[1.0, 0.0, 0.0]), embedding(&[0.0, 1.0, 0.0]), embedding(&[0.6, 0.0, 0.8])];
    let mean = Embedding::mean(&views).unwrap();
    let at_once = Gallery::new(embedder(3));
    at_once.load([(StudentId(1), views.to_vec())]).unwrap();
    let one_by_one = Gallery::new(embedder(3));
    for view in &views {
        one_by_one.insert(StudentId(1), std::slice::from_ref(view)).unwrap();
    }
    for gallery in [at_once, one_by_one] {
        assert_eq!((gallery.people(), gallery.templates()), (1, 3));
        for probe in &views {
            let found = gallery.search(probe, 5).unwrap();
            assert_eq!(found.len(), 1);
            assert!((found[0].cosine.0 - mean.cosine(probe).unwrap().0).abs() < 1e-6);
        }
        gallery.replace(StudentId(1), &views[..1]).unwrap();
        assert!(gallery.search(&views[0], 1).unwrap()[0].cosine.0 > 0.999_999);
        assert_eq!(gallery.templates(), 1);
    }
}

#[test]
fn similarity_is_on_the_scale_of_the_models_calibration() {
    let calibration = Calibration::new(vec![[-1.0, 0.0], [0.8, 0.5], [1.0, 1.0]]).unwrap();
    let gallery = Gallery::new(Embedder { calibration, ..embedder(2) });
    gallery.insert(StudentId(1), &[embedding(&[0.8, 0.6])]).unwrap();
    let found = gallery.search(&embedding(&[1.0, 0.0]), 1).unwrap()[0];
    assert!((found.similarity.value() - 0.5).abs() < 1e-5 && (found.cosine.0 - 0.8).abs() < 1e-5);
}

#[test]
fn an_embedding_of_another_model_is_refused_and_changes_nothing() {
    let gallery = Gallery::new(embedder(2));
    gallery.insert(StudentId(1), &[embedding(&[1.0, 0.0])]).unwrap();
    let foreign = Embedding::from_raw(ModelId::new("other"), &[1.0, 0.0]).unwrap();
    let longer = embedding(&[1.0, 0.0, 0.0]);
    for bad in [foreign, longer] {
        let both = [embedding(&[0.0, 1.0]), bad.clone()];
        assert_eq!(gallery.insert(StudentId(2), &both).unwrap_err().kind(), ErrorKind::ModelMismatch);
        assert_eq!(gallery.replace(StudentId(1), &both).unwrap_err().kind(), ErrorKind::ModelMismatch);
        assert!(gallery.load([(StudentId(3), both.to_vec())]).is_err());
        assert!(gallery.search(&bad, 1).is_err());
    }
    assert_eq!((gallery.people(), gallery.templates()), (1, 1));
}

#[test]
fn searches_go_on_while_writers_write() {
    let gallery = Gallery::new(embedder(16));
    gallery.insert(StudentId(0), &[random(16, 1)]).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..2i64 {
            let gallery = &gallery;
            scope.spawn(move || {
                for id in 0..300 {
                    let student = StudentId(1 + writer * 1000 + id);
                    gallery.insert(student, &[random(16, student.0 as u64 + 7)]).unwrap();
                    if id % 2 == 0 {
                        gallery.remove(student);
                    }
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..2000 {
                assert_eq!(gallery.search(&random(16, 1), 1).unwrap()[0].student, StudentId(0));
            }
        });
    });
    assert_eq!(gallery.people(), 301);
}

#[test]
fn debug_shows_no_value() {
    let gallery = Gallery::new(embedder(2));
    gallery.insert(StudentId(1), &[embedding(&[0.6, 0.8])]).unwrap();
    assert_eq!(format!("{gallery:?}"), "Gallery(m, 1 people)");
}

#[test]
fn look_alikes_are_the_pairs_that_everybody_against_everybody_finds() {
    let gallery = Gallery::new(embedder(8));
    let people = i64::try_from(SEGMENT_ROWS).unwrap() + 40;
    let views: Vec<_> = (0..people).map(|id| random(8, u64::try_from(id % 700).unwrap() + 1)).collect();
    gallery.load((0..people).map(|id| (StudentId(id), vec![views[usize::try_from(id).unwrap()].clone()]))).unwrap();
    let found = gallery.look_alikes(Threshold::new(0.999).unwrap(), 10_000);
    let pairs: std::collections::BTreeSet<_> = found.iter().map(|pair| (pair.earlier.0, pair.later.0)).collect();
    let expected: std::collections::BTreeSet<_> = (700..people).map(|id| (id - 700, id)).collect();
    assert_eq!((pairs.len(), pairs), (found.len(), expected));
    let few = gallery.look_alikes(Threshold::new(0.75).unwrap(), 5);
    assert!(few.len() == 5 && few.is_sorted_by(|a, b| a.similarity >= b.similarity), "{few:?}");
}

#[test]
fn how_alike_two_people_are_is_the_cosine_of_their_means() {
    let gallery = Gallery::new(embedder(4));
    gallery.insert(StudentId(1), &[embedding(&[1.0, 0.0, 0.0, 0.0]), embedding(&[0.0, 1.0, 0.0, 0.0])]).unwrap();
    gallery.insert(StudentId(2), &[embedding(&[1.0, 1.0, 0.0, 0.0])]).unwrap();
    gallery.insert(StudentId(3), &[embedding(&[0.0, 0.0, 1.0, 0.0])]).unwrap();
    let cosine = |a, b| gallery.alike(StudentId(a), StudentId(b)).map(|(_, cosine)| (cosine.0 * 1e4).round() / 1e4);
    assert_eq!((cosine(1, 2), cosine(2, 3), cosine(1, 9)), (Some(1.0), Some(0.0), None));
    let before = gallery.revision();
    gallery.remove(StudentId(3));
    assert_ne!(gallery.revision(), before);
}

/// The list that comparing `probe` with everybody makes, each row read back and multiplied as a search does it.
fn of_everybody(gallery: &Gallery, probe: &Embedding, k: usize) -> Vec<(i64, f32)> {
    let mut row = vec![0.0; probe.values().len()];
    let mut all = Vec::new();
    for segment in gallery.snapshot.load().iter() {
        for (at, owner) in segment.owners.iter().enumerate() {
            segment.read(at, &mut row);
            all.push((owner.0, search::product(&row, probe.values()).clamp(-1.0, 1.0)));
        }
    }
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all.truncate(k);
    all
}

fn told(found: &[Match]) -> Vec<(i64, f32)> {
    found.iter().map(|found| (found.student.0, found.cosine.0)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_search_answers_what_comparing_everybody_answers_ties_included(
        dimension in prop::sample::select(vec![1usize, 3, 16, 128, 512]),
        people in 1i64..1500, faces in 1u64..1500, seed in any::<u64>(), k in 1usize..40, near in any::<bool>(),
    ) {
        let gallery = Gallery::new(embedder(dimension));
        let face = |id: i64| random(dimension, seed ^ (id as u64 * 31 % faces));
        gallery.load((0..people).map(|id| (StudentId(id), vec![face(id)]))).unwrap();
        // Somebody who is there, and somebody who is not.
        let probe = if near { face(people / 2) } else { random(dimension, !seed) };
        prop_assert_eq!(told(&gallery.search(&probe, k).unwrap()), of_everybody(&gallery, &probe, k));
    }
}

#[test]
fn several_threads_answer_what_one_does() {
    let gallery = Gallery::new(embedder(4));
    // Every face many times, in all parts of the gallery.
    let people = 200 * SEGMENT_ROWS as i64;
    gallery.load((0..people).map(|id| (StudentId(id), vec![random(4, id as u64 % 977)]))).unwrap();
    for seed in 0..5 {
        let probe = random(4, seed);
        assert_eq!(told(&gallery.search(&probe, 300).unwrap()), of_everybody(&gallery, &probe, 300));
    }
}
