use super::*;
use std::collections::BTreeMap;

fn on(key: u32, action: Action) -> Operation {
    Operation { key, action }
}

/// Every operation on two keys with some pieces.
fn operations() -> Vec<Operation> {
    let pieces: [Arc<str>; 4] = ["", "a", "b", "ab"].map(Arc::from);
    let mut all = Vec::new();
    for key in [0, 5] {
        all.push(on(key, Action::Get(None)));
        for piece in &pieces {
            all.push(on(key, Action::Get(Some(piece.clone()))));
            all.push(on(key, Action::Put(piece.clone())));
            all.push(on(key, Action::Append(piece.clone())));
        }
    }
    all
}

/// All states within a few steps.
fn states<M: Model<Operation = Operation>>(model: &M) -> Vec<M::State> {
    let mut found = vec![model.initial()];
    for _ in 0..2 {
        let next: Vec<_> =
            found.iter().flat_map(|state| operations().into_iter().map(|one| model.step(state, &one))).collect();
        for state in next.into_iter().flatten() {
            if !found.contains(&state) {
                found.push(state);
            }
        }
    }
    found
}

fn keeps_its_word<M: Model<Operation = Operation>>(model: &M) {
    let operations = operations();
    let after = |state: &M::State, one, other| model.step(state, one).and_then(|state| model.step(&state, other));
    for state in states(model) {
        for one in &operations {
            let is_kept = model.step(&state, one).is_none_or(|next| next == state);
            assert!(is_kept || !model.is_read_only(one), "{one:?}");
            for other in &operations {
                let is_same = after(&state, one, other) == after(&state, other, one);
                assert!(is_same || !model.commute(one, other), "{one:?} {other:?}");
            }
        }
    }
}

#[test]
fn what_is_said_to_read_only_or_to_commute_does() {
    keeps_its_word(&AllKeys::default());
    keeps_its_word(&AllKeys::of(&operations()));
    // One key's model does not look at keys.
    assert!(!OneKey::default().commute(&operations()[2], &operations()[6]));
}

#[test]
fn a_put_replaces_and_an_append_makes_longer() {
    let model = OneKey::default();
    let steps = [Action::Append("x".into()), Action::Append("y".into())];
    let text = steps.map(|action| on(0, action)).iter().try_fold(model.initial(), |text, one| model.step(&text, one));
    assert_eq!(text.as_ref().and_then(Text::as_str), Some("xy"));
    let put = model.step(&text.unwrap(), &on(0, Action::Put("z".into())));
    assert_eq!(put.unwrap().as_str(), Some("z"));
}

#[test]
fn equal_texts_are_equal_in_however_many_pieces_they_came() {
    let model = OneKey::default();
    let one = model.step(&model.initial(), &on(0, Action::Put("ab".into()))).unwrap();
    let pieces = ["a", "b"].map(|piece| on(0, Action::Append(piece.into())));
    let other = pieces.iter().try_fold(model.initial(), |text, piece| model.step(&text, piece)).unwrap();
    assert_eq!(one, other);
}

#[test]
fn a_map_answers_as_an_ordinary_map_does() {
    let model = AllKeys::default();
    let mut texts = model.initial();
    let mut plain: BTreeMap<u32, String> = BTreeMap::new();
    for step in 0..2_000_u32 {
        let key = step.wrapping_mul(2_654_435_761) >> 22;
        let before = texts.clone();
        texts = model.step(&texts, &on(key, Action::Append(step.to_string().into()))).unwrap();
        assert_ne!(before, texts);
        plain.entry(key).or_default().push_str(&step.to_string());
    }
    for key in 0..1024 {
        let expected = plain.get(&key).map_or("", String::as_str);
        let get = |answer: &str| model.step(&texts, &on(key, Action::Get(Some(answer.into())))).is_some();
        assert!(get(expected));
        assert!(!get("another"));
    }
}

#[test]
fn texts_with_which_no_answer_begins_are_one_state_until_a_put() {
    let get = on(0, Action::Get(Some("ab".into())));
    let model = OneKey::of([&get]);
    let after = |pieces: &[&str]| {
        let pieces = pieces.iter().map(|&piece| on(0, Action::Append(piece.into())));
        pieces.fold(model.initial(), |text, piece| model.step(&text, &piece).unwrap())
    };
    assert_eq!(after(&["b"]), after(&["ab", "a"]));
    assert_ne!(after(&["a"]), after(&["b"]));
    assert!(model.step(&after(&["a", "b"]), &get).is_some());
    assert!(model.step(&after(&["b"]), &get).is_none());
    let put = model.step(&after(&["b"]), &on(0, Action::Put("ab".into()))).unwrap();
    assert!(model.step(&put, &get).is_some());
}
