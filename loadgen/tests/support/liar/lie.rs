//! The lies: what a client sees of each, and how often it is told.

/// The kinds of lies. The short form of the table has at least one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// What a restore shows, or a save stores.
    Document,
    /// What a list shows.
    List,
    /// Which key is handed out, and to whom.
    Key,
    /// The envelope around the data: status, header, timestamp.
    Envelope,
    /// Refusals without cause, or whose operation is done all the same.
    Refusal,
    /// Deletes that do nothing, or too much.
    Delete,
    /// Files left in the folder, response times, and locks.
    Service,
}

/// Defines the lies: kind, comment, name, and the number of opportunities to lie, on average, for each time it does.
macro_rules! lies {
    ($($kind:ident: { $($(#[$doc:meta])* $lie:ident = $each:literal,)* })*) => {
        /// One deviation from the contract.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum Lie {
            $($($(#[$doc])* $lie,)*)*
        }

        impl Lie {
            /// Every lie.
            pub(crate) const ALL: &[Self] = &[$($(Self::$lie,)*)*];

            /// The kind of the lie.
            pub(crate) const fn kind(self) -> Kind {
                match self {
                    $($(Self::$lie => Kind::$kind,)*)*
                }
            }

            /// It is told once in this many opportunities, at random.
            pub(crate) const fn each(self) -> u32 {
                match self {
                    $($(Self::$lie => $each,)*)*
                }
            }
        }
    };
}

lies! {
    Document: {
        /// save reads, lets others run, then merges and writes, all without the lock: updates are lost.
        NoLock = 1,
        /// save replaces the stored metadata instead of overlaying it.
        LostMerge = 1,
        /// Like `LostMerge`, but now and then.
        LosesMetadata = 20,
        /// instantiate returns "Instance already exists", but replaces the document.
        InstantiateOverwrites = 1,
        /// instantiate decides before the lock whether it creates: several at once can all return "Instance created".
        InstantiateTwiceCreated = 1,
        /// instantiate returns "Instance created", and stores nothing.
        InstantiateStoresNothing = 10,
        /// instantiate stores an empty `state` in place of the posted one.
        InstantiateDropsState = 5,
        /// restore does not find a document in the first 20 ms after instantiate created it.
        RestoreLagsBehindInstantiate = 1,
        /// restore returns a copy, renewed by every other save and after 50 ms.
        StaleRestore = 1,
        /// restore, shortly after a save, sometimes returns the new document with the earlier one's `state`.
        TornRestore = 4,
        /// restore returns a document with an empty `state`.
        EmptyState = 50,
        /// restore returns half of the JSON: valid HTTP, with the right length.
        RestoreCutShort = 50,
        /// restore returns the document that was written last, whatever its key.
        CrossTalk = 50,
        /// restore returns a document with the `sessionKey` of the document that was saved last.
        ForeignSessionKey = 50,
        /// restore returns another `typeSlug`.
        OtherType = 20,
        /// restore returns the `typeSlug` of the document that was saved last, whatever its key.
        TypeOfAnother = 20,
        /// restore returns a field that nobody posted.
        AddsField = 20,
        /// restore returns a `lastModified` that is a minute too early.
        LastModifiedGoesBack = 20,
        /// restore leaves out `lastModified`.
        LastModifiedMissing = 20,
        /// restore returns another `version`.
        VersionChanges = 20,
        /// save sets `created` anew.
        CreatedChanges = 10,
        /// save drops `created`.
        CreatedDropped = 10,
        /// save drops a posted field beyond the usual ones.
        DropsPostedField = 10,
        /// save stores a posted number, beyond the usual fields, as text.
        NumberToText = 10,
        /// save drops nulls within a posted field.
        DropsNestedNull = 10,
        /// save stores the new state with the metadata of the save before.
        StateWithOldMetadata = 10,
        /// save keeps the old type.
        KeepsOldType = 10,
        /// save acknowledges, and does not store.
        LyingSave = 20,
        /// save overlays the stored `state` with the posted one, field by field, instead of replacing it.
        MergingState = 1,
        /// save stores the new document with the earlier one's notes first, and with its own a moment later.
        SavesInTwoSteps = 1,
        /// A save reaches the second of two copies a moment after the first; restore reads them in turn.
        LaggingReplica = 2,
        /// save removes the document before it stores the new one, a moment later.
        RemovesFirst = 1,
        /// save removes a document's file after it acknowledged the document.
        LosesDocuments = 10,
        /// save stores, and closes the connection without a response; it is applied again after 20 other saves.
        SavesTwice = 25,
        /// save acknowledges, and is applied again over later saves, once those were shown.
        ComesOnceMore = 25,
        /// The saves of two users are swapped: each one's document is stored under the other's key.
        SwapsSaves = 50,
    }
    List: {
        /// list leaves out documents.
        LosesInList = 30,
        /// list shows only the older half of the documents.
        ListCutShort = 10,
        /// list shows each document with the `typeSlug` of the next.
        MixedUpList = 1,
        /// list shows the session that was deleted last.
        ListsDeleted = 5,
        /// list shows a session twice.
        ListsTwice = 5,
        /// list shows the oldest first.
        OldestFirst = 5,
        /// list shows a `created` that is a minute too early.
        ListsWrongCreated = 5,
        /// list is a copy, up to 200 ms old.
        StaleList = 1,
    }
    Key: {
        /// generate-key makes a character of a random byte by `byte % 36`: A to D come out 8/7 as often as the others.
        BiasedPicker = 1,
        /// generate-key checks the folder, but does not reserve.
        NoReservation = 1,
        /// generate-key knows only the keys that it handed out itself, and ignores the folder.
        HandsOutUsed = 1,
        /// generate-key tries 20 random keys, then reports that all are exhausted.
        GivesUpEarly = 1,
        /// generate-key returns 500 `Internal error` when all keys are in use.
        WrongExhaustion = 1,
        /// generate-key reports that all keys are exhausted, whatever the folder holds.
        ExhaustedEarly = 50,
        /// generate-key hands out one key to two concurrent requests.
        SharesKeys = 1,
        /// generate-key hands out the same key twice in a row.
        SameKeyTwice = 50,
        /// generate-key hands out the key of the document that was saved last.
        HandsOutLive = 10,
        /// generate-key returns the key in lower case.
        LowerCaseKey = 50,
        /// generate-key returns a key with a fourth character.
        FourCharacterKey = 50,
        /// generate-key returns a key whose second character is a space.
        SpaceInKey = 50,
    }
    Envelope: {
        /// `timestamp` is in milliseconds.
        TimestampInMs = 20,
        /// `timestamp` is an hour old.
        TimestampGoesBack = 20,
        /// There is no `timestamp`.
        TimestampMissing = 20,
        /// `success` is text.
        SuccessAsText = 20,
        /// Content-Type is `text/html`.
        HtmlType = 20,
        /// Success comes with status 201.
        CreatedStatus = 20,
        /// A refusal comes with status 200.
        RefusalWithOk = 1,
        /// `Missing typeSlug parameter` comes with status 500.
        WrongStatus = 1,
    }
    Refusal: {
        /// save takes any text of three characters or more for a session key. (It keeps those in memory only.)
        Traversal = 1,
        /// save refuses a document as if its key were malformed, and stores it all the same.
        RefusesAndStores = 10,
        /// save on a deleted key returns 404.
        SaveNotFoundAfterDelete = 1,
        /// save returns 404.
        SaveNotFound = 50,
        /// restore returns 404 for a document that is there.
        RestoreNotFound = 50,
        /// restore returns 500 `Invalid saved data format` for a document that is whole.
        RestoreUnreadable = 50,
        /// instantiate returns 400 `Invalid checklist type`.
        InstantiateRefused = 20,
        /// delete returns 404 for a document that is there, and leaves it.
        DeleteNotFoundKept = 10,
        /// delete returns 404 for a document that is there, and removes it.
        DeleteNotFoundDone = 10,
    }
    Delete: {
        /// delete returns success and leaves the document.
        DeleteKeepsFile = 1,
        /// Like `DeleteKeepsFile`, but now and then.
        DeleteNotDone = 20,
        /// delete is undone after 300 ms, if the key is still free.
        DeleteUndone = 10,
        /// delete checks before the lock: several at once can all return success.
        DeleteTwice = 1,
        /// delete also removes another document, the one that was saved last.
        DeletesAnother = 20,
        /// save on a deleted key acknowledges, and does not store.
        DropsSaveAfterDelete = 2,
        /// A document's file stays open when it is deleted, and the key's next owner writes into it. Keys of ended
        /// sessions are handed out first.
        KeepsUnlinkedOpen = 1,
    }
    Service: {
        /// save takes 30 ms, under its document's lock: some 33 a second.
        SlowSave = 1,
        /// save keeps a `KEY.lock` beside the document while it works, some 2 ms.
        LockFiles = 1,
        /// delete moves the document to `KEY-old.json`, which `ls saves/*.json` counts.
        KeepsExtraFiles = 1,
        /// save and instantiate wait for a document's lock for as long as another process holds it.
        WaitsForEver = 1,
        /// save, when another process holds the document's lock, returns the error, and stores all the same.
        StoresWithoutLock = 1,
        /// save, when another process holds the document's lock, returns success, and does not store.
        DropsWithoutLock = 1,
        /// save stores the part of a body that arrived when the client goes away in the middle.
        StoresHalfBodies = 1,
    }
}
