//! How a fault comes about, system call by system call: the shortest schedules by which the specification's protocol
//! breaks a promise to users at once. The proofs find them, and keep the files as they are.

/// The schedule of a claim's refutation, if users at once are what it takes.
#[must_use]
pub fn of_claim(id: &str) -> Option<&'static str> {
    match id {
        "K9" => Some(include_str!("../../schedules/K9.txt")),
        "S4" => Some(include_str!("../../schedules/S4.txt")),
        "S5" => Some(include_str!("../../schedules/S5.txt")),
        "S6" => Some(include_str!("../../schedules/S6.txt")),
        _ => None,
    }
}
