//! What claims that are tried on one target know from each other.

use crate::lab::{Lab, lock};
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// One value of each type.
pub(super) type Shared = Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>;

impl Lab {
    /// The one value of this type that all experiments on the target share. It is its default until one of them changes
    /// it. The claims define the types: the lab does not know what it keeps.
    #[must_use]
    pub fn shared<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        let mut shared = lock(&self.shared);
        let value = shared.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        // It has the type that it is kept under.
        Arc::clone(value).downcast().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use crate::lab::{Effort, Lab};
    use engine::client::Target;
    use std::sync::OnceLock;

    #[derive(Default)]
    struct Sample(OnceLock<u32>);

    #[derive(Default)]
    struct Other(OnceLock<u32>);

    #[test]
    fn what_one_claim_enters_the_next_finds_on_the_same_target_only_and_under_its_type_only() {
        let lab = || {
            let target = Target::new("http://127.0.0.1:1", "/api/{op}").expect("a target");
            Lab::new(target, None, 2, 1, Effort::Quick)
        };
        let (here, there) = (lab(), lab());
        here.shared::<Sample>().0.set(7).expect("it is the first");
        assert_eq!(here.shared::<Sample>().0.get(), Some(&7));
        assert_eq!(here.shared::<Other>().0.get(), None);
        assert_eq!(there.shared::<Sample>().0.get(), None);
    }
}
