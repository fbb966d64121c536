//! A map of a handful of entries: a list is smaller than a tree, in the module and in time.

use alloc::vec::Vec;
use core::cell::RefCell;

/// Values by key, few enough to look through.
pub(crate) struct Slots<K, V>(RefCell<Vec<(K, V)>>);

impl<K, V> Default for Slots<K, V> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<K: PartialEq, V> Slots<K, V> {
    /// Puts a value in; the key must be new or taken.
    pub(crate) fn insert(&self, key: K, value: V) {
        self.0.borrow_mut().push((key, value));
    }

    /// Takes a value out.
    pub(crate) fn take(&self, key: &K) -> Option<V> {
        let mut slots = self.0.borrow_mut();
        let index = slots.iter().position(|(known, _)| known == key)?;
        Some(slots.swap_remove(index).1)
    }

    /// Tells whether there is a value.
    pub(crate) fn has(&self, key: &K) -> bool {
        self.0.borrow().iter().any(|(known, _)| known == key)
    }

    pub(crate) fn get(&self, key: &K) -> Option<V>
    where
        V: Clone,
    {
        self.0.borrow().iter().find(|(known, _)| known == key).map(|(_, value)| value.clone())
    }
}
