use super::*;
use crate::simulated::{STANDARD_ERRORS, assert_share, exponential, random};
use rand::{RngExt, rngs::StdRng};

/// A small space, so that collisions are many: 36² keys.
const SPACE: KeySpace = KeySpace { alphabet: 36, length: 2 };

/// One key's moments, in seconds; before the first opening all lie in the past.
#[derive(Clone, Copy)]
struct Key {
    reserved_until: f64,
    instantiated: f64,
    ended: f64,
    holders: u32,
    used_before: bool,
}

/// What a simulated service saw.
#[derive(Default)]
struct Seen {
    openings: usize,
    sessions: usize,
    shared: usize,
    reused: usize,
    documents_s: f64,
    unavailable: f64,
}

/// Openings one by one: each draws keys until one has neither document nor reservation, holds it for its window, and
/// whoever comes first makes the document. `reuse_s`: how soon after its end a key counts as reused.
fn simulate(traffic: Traffic, ttl_s: f64, reuse_s: f64, openings: usize, random: &mut StdRng) -> Seen {
    let long_ago = f64::NEG_INFINITY;
    let unused =
        Key { reserved_until: long_ago, instantiated: long_ago, ended: long_ago, holders: 0, used_before: false };
    let mut keys = vec![unused; 1_296];
    let (mut seen, mut now, mut tries) = (Seen::default(), 0.0, 0_u32);
    for _ in 0..openings {
        now += exponential(random, 1.0 / traffic.openings_per_s);
        let drawn = loop {
            tries += 1;
            let drawn = random.random_range(0..keys.len());
            let key = keys[drawn];
            let has_document = key.instantiated <= now && now < key.ended;
            if !has_document && key.reserved_until <= now {
                break drawn;
            }
        };
        let key = &mut keys[drawn];
        let instantiated = now
            + match traffic.window {
                Window::Fixed(window_s) => window_s,
                Window::Exponential(mean_s) => exponential(random, mean_s),
            };
        seen.openings += 1;
        if now < key.instantiated {
            key.holders += 1;
            seen.shared += usize::from(key.holders == 2);
            key.instantiated = key.instantiated.min(instantiated);
        } else {
            seen.sessions += 1;
            seen.reused += usize::from(key.used_before && now - key.ended <= reuse_s);
            (key.holders, key.used_before, key.instantiated) = (1, true, instantiated);
            seen.documents_s += traffic.life_s;
        }
        key.ended = key.instantiated + traffic.life_s;
        key.reserved_until = now + ttl_s;
    }
    seen.documents_s /= now;
    seen.unavailable = 1.0 - f64::from(u32::try_from(openings).unwrap()) / f64::from(tries);
    seen
}

const OPENINGS: usize = 400_000;

#[test]
fn openings_join_and_sessions_are_shared_as_simulated() {
    // Windows of 0.5 s at 100 openings a second: 50 keys in flight among some 1,100 free ones.
    let traffic = Traffic { openings_per_s: 100.0, window: Window::Fixed(0.5), life_s: 2.0 };
    let sharing = Sharing::unreserved(SPACE, traffic).unwrap();
    let seen = simulate(traffic, 0.0, 0.0, OPENINGS, &mut random(5));
    assert_share(seen.openings - seen.sessions, seen.openings, sharing.opening_joins());
    assert_share(seen.shared, seen.sessions, sharing.session_is_shared());
    let days = OPENINGS as f64 / traffic.openings_per_s / DAY_S;
    let allowed = STANDARD_ERRORS * (seen.shared as f64).sqrt() / days;
    assert!((sharing.shared_sessions_a_day() - seen.shared as f64 / days).abs() < allowed);
}

#[test]
fn windows_of_exponential_length_are_shared_as_simulated() {
    let traffic = Traffic { openings_per_s: 400.0, window: Window::Exponential(0.5), life_s: 0.02 };
    let sharing = Sharing::unreserved(SPACE, traffic).unwrap();
    let seen = simulate(traffic, 0.0, 0.0, OPENINGS, &mut random(6));
    assert_share(seen.shared, seen.sessions, sharing.session_is_shared());
}

#[test]
fn a_reservation_leaves_the_windows_that_outlast_it() {
    for (window, ttl_s) in [(Window::Fixed(1.5), 1.0), (Window::Exponential(0.8), 1.0)] {
        let traffic = Traffic { openings_per_s: 200.0, window, life_s: 0.5 };
        let sharing = Sharing::reserved(SPACE, traffic, ttl_s).unwrap();
        let seen = simulate(traffic, ttl_s, 0.0, OPENINGS, &mut random(7));
        assert_share(seen.shared, seen.sessions, sharing.session_is_shared());
    }
}

#[test]
fn a_reservation_as_long_as_every_window_leaves_no_risk() {
    let traffic = Traffic { openings_per_s: 100.0, window: Window::Fixed(2.0), life_s: 60.0 };
    let sharing = Sharing::reserved(KeySpace::SPECIFIED, traffic, 2.0).unwrap();
    assert!(sharing.session_is_shared() < 1e-300 && sharing.any_shared_within(DAY_S) < 1e-300);
    assert!((sharing.free_keys() - (46_656.0 - 6_000.0 - 200.0)).abs() < 1e-6);
}

#[test]
fn documents_in_the_folder_are_those_of_littles_law() {
    let traffic = Traffic { openings_per_s: 100.0, window: Window::Fixed(0.001), life_s: 3.0 };
    let seen = simulate(traffic, 0.0, 0.0, OPENINGS, &mut random(8));
    let allowed = STANDARD_ERRORS * traffic.active_sessions() / (OPENINGS as f64).sqrt();
    assert!((seen.documents_s - traffic.active_sessions()).abs() < allowed, "{}", seen.documents_s);
    // And so the fill that a request meets, which Poisson arrivals see as it is over time.
    let free = Sharing::unreserved(SPACE, traffic).unwrap().free_keys();
    assert!((seen.unavailable - (1.0 - free / SPACE.size())).abs() < 0.005, "{}", seen.unavailable);
}

#[test]
fn users_with_one_session_at_a_time_open_as_often_as_simulated() {
    let (users, think_s, window_s, life_s) = (50, 6.0, 2.0, 12.0);
    let mut random = random(9);
    let horizon_s = 20_000.0;
    let openings: usize = (0..users)
        .map(|_| {
            let mut now = 0.0;
            let mut openings = 0;
            while now < horizon_s {
                openings += 1;
                now += window_s + exponential(&mut random, life_s) + exponential(&mut random, think_s);
            }
            openings
        })
        .sum();
    let traffic = Traffic::one_at_a_time(f64::from(users), think_s, Window::Fixed(window_s), life_s);
    let expected = traffic.openings_per_s * horizon_s;
    // Renewals vary less than Poisson events do; each user's first opening, at once, adds at most one.
    assert!((openings as f64 - expected).abs() < STANDARD_ERRORS * expected.sqrt() + f64::from(users));
    assert!((traffic.openings_per_s - 2.5).abs() < 1e-12 && (traffic.in_flight() - 5.0).abs() < 1e-12);
    let held = Traffic::holding(10_000.0, Window::Fixed(1.0), 30.0 * DAY_S);
    assert!((held.active_sessions() - 10_000.0).abs() < 1e-6);
}

#[test]
fn a_day_has_a_shared_session_as_often_as_simulated() {
    let traffic = Traffic { openings_per_s: 10.0, window: Window::Fixed(0.2), life_s: 0.0 };
    let sharing = Sharing::unreserved(SPACE, traffic).unwrap();
    let mut random = random(10);
    let (days, openings_a_day) = (4_000, 500);
    let hit = (0..days).filter(|_| simulate(traffic, 0.0, 0.0, openings_a_day, &mut random).shared > 0).count();
    let span_s = openings_a_day as f64 / traffic.openings_per_s;
    assert_share(hit, days, sharing.any_shared_within(span_s));
}

#[test]
fn the_key_of_an_ended_session_comes_round_again_as_simulated() {
    let traffic = Traffic { openings_per_s: 100.0, window: Window::Fixed(0.0), life_s: 2.0 };
    let sharing = Sharing::unreserved(SPACE, traffic).unwrap();
    let seen = simulate(traffic, 0.0, 5.0, OPENINGS, &mut random(11));
    assert_share(seen.reused, seen.sessions, sharing.key_is_handed_out_again(5.0));
    assert!((sharing.mean_until_handed_out_again_s() - (1_296.0 - 200.0) / 100.0).abs() < 1e-9);
}

#[test]
fn two_openings_in_each_others_window_share_one_session_not_two() {
    // 1 opening a second, windows of 1 s, 46,656 − 1,000 free keys: 86,400 / 45,656 a day, less 1 in 45,656 of it.
    let traffic = Traffic { openings_per_s: 1.0, window: Window::Fixed(1.0), life_s: 1_000.0 };
    let sharing = Sharing::unreserved(KeySpace::SPECIFIED, traffic).unwrap();
    assert!((sharing.shared_sessions_a_day() - 86_400.0 / 45_656.0).abs() < 1e-4);
    assert!((sharing.any_shared_within(DAY_S) - (1.0 - (-86_400.0_f64 / 45_656.0).exp())).abs() < 1e-4);
}

#[test]
fn sessions_that_fill_the_space_leave_no_steady_state() {
    let traffic = Traffic::holding(46_656.0, Window::Fixed(1.0), 3_600.0);
    assert_eq!(Sharing::unreserved(KeySpace::SPECIFIED, traffic), None);
    let still = Traffic { openings_per_s: 0.0, window: Window::Exponential(0.0), life_s: 0.0 };
    assert!(Sharing::unreserved(KeySpace::SPECIFIED, still).unwrap().session_is_shared() < 1e-300);
}

#[test]
fn a_hundred_at_once_collide_as_often_as_the_claims_say() {
    assert!((at_once(KeySpace::SPECIFIED, 0, 100) - 0.1007).abs() < 1e-4);
    assert!((at_once(KeySpace::SPECIFIED, 10_000, 100) - 0.126).abs() < 1e-3);
    // Drawn by the protocol, from a folder in which 1,000 of the 1,296 keys are used.
    let mut random = random(30);
    let collides = |random: &mut StdRng| {
        let mut seen = [false; 1_296];
        let mut draw = || loop {
            let key = random.random_range(0..1_296);
            if key >= 1_000 {
                return key;
            }
        };
        (0..20).any(|_| std::mem::replace(&mut seen[draw()], true))
    };
    let hits = (0..10_000).filter(|_| collides(&mut random)).count();
    assert_share(hits, 10_000, at_once(SPACE, 1_000, 20));
}
