//! Users who act at once.

use crate::lab::{Lab, lock};
use engine::client::User;
use std::sync::Arc;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

impl Lab {
    /// Users, numbered from 0, who keep their connections between the rounds of an experiment.
    pub(super) fn take_users(&self, users: usize) -> Vec<User> {
        let mut idle_users = lock(&self.idle_users);
        let mut taken: Vec<User> = std::mem::take(&mut *idle_users);
        *idle_users = taken.split_off(users.min(taken.len()));
        drop(idle_users);
        taken.extend((taken.len()..users).map(|number| self.user(number)));
        taken
    }

    pub(super) fn return_users(&self, users: Vec<User>) {
        let mut idle_users = lock(&self.idle_users);
        idle_users.extend(users);
        idle_users.sort_by_key(User::number);
        idle_users.dedup_by_key(|user| user.number());
    }
}

/// Has all users act at once: each on a task of its own, none before all are ready. Answers in the users' order.
/// Dropping the future ends them all.
///
/// # Panics
/// Where an act panics.
pub async fn at_once<T, F, A>(users: Vec<User>, act: F) -> Vec<T>
where
    T: Send + 'static,
    F: Fn(User, usize) -> A,
    A: Future<Output = T> + Send + 'static,
{
    let ready = Arc::new(Barrier::new(users.len()));
    let mut acts = JoinSet::new();
    for (number, user) in users.into_iter().enumerate() {
        let (act, ready) = (act(user, number), Arc::clone(&ready));
        acts.spawn(async move {
            ready.wait().await;
            (number, act.await)
        });
    }
    let mut outputs = acts.join_all().await;
    outputs.sort_by_key(|(number, _)| *number);
    outputs.into_iter().map(|(_, output)| output).collect()
}
