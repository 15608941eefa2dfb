//! Sessions that two users share, as `generate-key` does not reserve: a key that was handed out is free to the next
//! request until `instantiate` has made its document.
//!
//! Openings are taken to come as a Poisson process, which many users who do not wait for one another come close to;
//! for those who all start at once there is [`at_once`].

use super::keys::{KeySpace, birthday_collision};

/// Seconds in a day.
pub const DAY_S: f64 = 86_400.0;

/// How long it takes from a key's being handed out to its document's being made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Window {
    /// Always as long, in seconds.
    Fixed(f64),
    /// Exponential, with this mean in seconds: most are short, and a few much longer.
    Exponential(f64),
}

impl Window {
    /// Mean, in seconds.
    #[must_use]
    pub fn mean_s(self) -> f64 {
        match self {
            Self::Fixed(mean_s) | Self::Exponential(mean_s) => mean_s,
        }
    }

    /// Mean time, in seconds, by which a window outlasts a reservation of `ttl_s`.
    #[must_use]
    pub fn mean_beyond_s(self, ttl_s: f64) -> f64 {
        match self {
            Self::Fixed(window_s) => (window_s - ttl_s).max(0.0),
            Self::Exponential(mean_s) if mean_s > 0.0 => mean_s * (-ttl_s / mean_s).exp(),
            Self::Exponential(_) => 0.0,
        }
    }

    /// The chance of at least one of the events that come at `rate_per_s` in the part of a window beyond `ttl_s`.
    fn chance_of_any_beyond(self, ttl_s: f64, rate_per_s: f64) -> f64 {
        match self {
            Self::Fixed(_) => -(-rate_per_s * self.mean_beyond_s(ttl_s)).exp_m1(),
            // What is left of an exponential time is as long as the whole: the events race its end.
            Self::Exponential(mean_s) if mean_s > 0.0 => {
                (-ttl_s / mean_s).exp() * (rate_per_s * mean_s) / (1.0 + rate_per_s * mean_s)
            }
            Self::Exponential(_) => 0.0,
        }
    }
}

/// Sessions as they are opened, used and ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traffic {
    /// Keys handed out a second, on average.
    pub openings_per_s: f64,
    /// From a key's being handed out to its document's being made.
    pub window: Window,
    /// Mean time, in seconds, that a document is there before it is deleted or archived.
    pub life_s: f64,
}

impl Traffic {
    /// `users` who each have one session at a time: one that lives `life_s` from its instantiate, then `think_s`
    /// without. Where nobody ends a session, but an archive takes it after 30 days, use [`Traffic::holding`].
    #[must_use]
    pub fn one_at_a_time(users: f64, think_s: f64, window: Window, life_s: f64) -> Self {
        Self { openings_per_s: users / (think_s + window.mean_s() + life_s), window, life_s }
    }

    /// As many openings as keep `sessions` documents in the folder where each lives `life_s` (Little's law).
    #[must_use]
    pub fn holding(sessions: f64, window: Window, life_s: f64) -> Self {
        Self { openings_per_s: sessions / life_s, window, life_s }
    }

    /// Mean number of documents in the folder, by Little's law; each opening counts as one, so an opening that joins
    /// another's session is counted once too often.
    #[must_use]
    pub fn active_sessions(self) -> f64 {
        self.openings_per_s * self.life_s
    }

    /// Mean number of keys that were handed out and have no document yet.
    #[must_use]
    pub fn in_flight(self) -> f64 {
        self.openings_per_s * self.window.mean_s()
    }
}

/// The risk that users share a session that is not theirs, in a steady state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sharing {
    traffic: Traffic,
    ttl_s: f64,
    free_keys: f64,
}

impl Sharing {
    /// By the documented protocol, which reserves nothing. `None` where the sessions leave no key free.
    #[must_use]
    pub fn unreserved(space: KeySpace, traffic: Traffic) -> Option<Self> {
        Self::reserved(space, traffic, 0.0)
    }

    /// By the hardened protocol, which reserves a key for `ttl_s` from when it is handed out. `None` where the
    /// sessions and reservations leave no key free.
    #[must_use]
    pub fn reserved(space: KeySpace, traffic: Traffic, ttl_s: f64) -> Option<Self> {
        let reserved_s = traffic.window.mean_s() - traffic.window.mean_beyond_s(ttl_s);
        let free_keys = space.size() - traffic.active_sessions() - traffic.openings_per_s * reserved_s;
        (free_keys >= 1.0).then_some(Self { traffic, ttl_s, free_keys })
    }

    /// Keys that a request can be handed: those without document or reservation, on average.
    #[must_use]
    pub fn free_keys(self) -> f64 {
        self.free_keys
    }

    /// How often a given free key is handed out, a second.
    fn draws_per_key_s(self) -> f64 {
        self.traffic.openings_per_s / self.free_keys
    }

    /// How many others are handed a session's key before it has a document, on average. Exact for fixed windows without
    /// a reservation; else too high by a share of at most its own size.
    fn joiners(self) -> f64 {
        self.draws_per_key_s() * self.traffic.window.mean_beyond_s(self.ttl_s)
    }

    /// The chance that an opening is handed a key that somebody else holds already. Who came first is not counted
    /// again when the second comes.
    #[must_use]
    pub fn opening_joins(self) -> f64 {
        self.joiners() / (1.0 + self.joiners())
    }

    /// The chance that a session gets a second user before its document is made.
    #[must_use]
    pub fn session_is_shared(self) -> f64 {
        self.traffic.window.chance_of_any_beyond(self.ttl_s, self.draws_per_key_s())
    }

    /// Sessions a day that two or more users share, each counted once.
    #[must_use]
    pub fn shared_sessions_a_day(self) -> f64 {
        let sessions_a_day = self.traffic.openings_per_s * DAY_S / (1.0 + self.joiners());
        sessions_a_day * self.session_is_shared()
    }

    /// The chance of at least one shared session within `span_s` seconds. An approximation: shared sessions are many
    /// keys' rare events, and so close to a Poisson process.
    #[must_use]
    pub fn any_shared_within(self, span_s: f64) -> f64 {
        -(-self.shared_sessions_a_day() * span_s / DAY_S).exp_m1()
    }

    /// The chance that the key of a session that ended is handed out again within `within_s` seconds: whoever kept the
    /// old link then opens another's session. The same for both protocols.
    #[must_use]
    pub fn key_is_handed_out_again(self, within_s: f64) -> f64 {
        -(-self.draws_per_key_s() * within_s).exp_m1()
    }

    /// Mean time, in seconds, until the key of a session that ended is handed out again.
    #[must_use]
    pub fn mean_until_handed_out_again_s(self) -> f64 {
        1.0 / self.draws_per_key_s()
    }
}

/// The chance that `users` who open a session at once, before any of them has a document, do not all get a key of
/// their own, with `used` keys in the folder; by the documented protocol.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of keys, at most the largest")]
pub fn at_once(space: KeySpace, used: usize, users: usize) -> f64 {
    birthday_collision(users, (space.size() as usize).saturating_sub(used))
}

#[cfg(test)]
mod tests;
