//! All lies, and what must catch each: claims that it refutes, and loads that convict it.

use super::support::liar::Lie;

/// A lie, and the claims that must refute it.
pub(crate) struct Claims {
    pub(crate) lie: Lie,
    /// Claims that must be refuted.
    pub(crate) refuted: &'static [&'static str],
    /// Other claims that may be refuted, as they rest on the same operation. All others must hold.
    pub(crate) others: &'static [&'static str],
    /// Whether the short form has this row.
    pub(crate) is_short: bool,
}

const fn claims(lie: Lie, refuted: &'static [&'static str], others: &'static [&'static str]) -> Claims {
    Claims { lie, refuted, others, is_short: false }
}

impl Claims {
    const fn short(self) -> Self {
        Self { is_short: true, ..self }
    }
}

/// A lie, and a load that must convict it.
pub(crate) struct Load {
    pub(crate) lie: Lie,
    /// The scenario and its options.
    pub(crate) scenario: &'static [&'static str],
    /// Names of anomalies, of which at least one must be reported.
    pub(crate) names: &'static [&'static str],
    /// Other names that may be reported: further consequences of the same lie.
    pub(crate) others: &'static [&'static str],
    /// Whether the short form has this row.
    pub(crate) is_short: bool,
}

const fn load(
    lie: Lie,
    scenario: &'static [&'static str],
    names: &'static [&'static str],
    others: &'static [&'static str],
) -> Load {
    Load { lie, scenario, names, others, is_short: false }
}

impl Load {
    const fn short(self) -> Self {
        Self { is_short: true, ..self }
    }
}

/// The lie of every row, and whether the short form has the row.
pub(crate) fn all() -> impl Iterator<Item = (Lie, bool)> {
    CLAIMS.iter().map(|row| (row.lie, row.is_short)).chain(LOADS.iter().map(|row| (row.lie, row.is_short)))
}

/// Each user on its own session, with more restores than saves.
const OWN: &[&str] = &["mixed", "--mix", "restore=4,save=1"];

/// All users on one document.
const SHARED: &[&str] = &["same-session", "--mix", "restore=3,save=1"];

/// All users on one document, which is read many times between two saves.
const WATCHED: &[&str] = &["same-session", "--mix", "restore=20,save=1"];

/// Sessions end and begin, and live for some time.
const CHANGING: &[&str] = &["mixed", "--mix", "restore=2,save=2,churn=1"];

/// Some of everything, with more lists than usual.
const MIXED: &[&str] = &["mixed", "--mix", "restore=4,save=4,list=1,churn=1"];

const CHURN: &[&str] = &["churn"];
const JOURNEY: &[&str] = &["journey"];
const KEYS: &[&str] = &["keygen-burst"];
const LISTS: &[&str] = &["list-heavy"];

/// What claims catch.
pub(crate) const CLAIMS: &[Claims] = &[
    claims(Lie::NoLock, &["S1"], &["S4", "S5", "S7", "R6"]).short(),
    claims(Lie::LostMerge, &["S1"], &["K9", "S2", "S4", "S6", "S7", "R6"]).short(),
    claims(Lie::LosesMetadata, &["S1"], &["K9", "S2", "S3"]),
    claims(Lie::InstantiateOverwrites, &["S3"], &["K9", "S7", "R6"]).short(),
    claims(Lie::InstantiateTwiceCreated, &["S3"], &["S7"]).short(),
    claims(Lie::InstantiateStoresNothing, &["S7"], &["K9", "S1", "S2", "S3", "O1", "R5"]),
    claims(Lie::InstantiateDropsState, &["S3"], &["K9"]),
    claims(Lie::RestoreLagsBehindInstantiate, &["S7"], &["S3", "K9", "S1", "S2", "R5"]),
    claims(Lie::StaleRestore, &["S4"], &["K9", "P1", "P4", "S1", "S2", "S7", "R6"]).short(),
    claims(Lie::TornRestore, &["S4"], &["K9", "P1", "P4", "S1", "S2", "S7", "R6"]).short(),
    claims(Lie::EmptyState, &["S4", "S7"], &["K9", "S1", "S2", "S3", "R5"]),
    claims(Lie::RestoreCutShort, &["S4", "S7"], &["K9", "S1", "S2", "S3", "R5"]),
    claims(Lie::CrossTalk, &["K9", "S4"], &["P1", "P4", "P6", "S1", "S2", "S5", "S7", "R6"]).short(),
    claims(Lie::ForeignSessionKey, &["S7"], &["K9", "S1", "S2", "S3", "R5"]),
    claims(Lie::OtherType, &["S7"], &["K9", "S1", "S2", "S3", "R5"]),
    claims(Lie::TypeOfAnother, &["S7"], &["K9", "S1", "S2", "S3", "R5"]),
    claims(Lie::AddsField, &["S7"], &["K9", "S1", "S2", "S3", "R5"]),
    claims(Lie::LastModifiedGoesBack, &["S7"], &["K9", "S1", "S2", "S3", "R5"]),
    claims(Lie::LastModifiedMissing, &["S7"], &["K9", "S1", "S2", "S3", "R5"]),
    claims(Lie::VersionChanges, &["S7"], &["K9", "S1", "S2", "S3", "R5"]),
    claims(Lie::CreatedChanges, &["S7"], &["K9", "S1", "S2", "S3", "R5"]),
    claims(Lie::CreatedDropped, &["S7"], &["K9", "S1", "S2", "S3", "R5"]),
    claims(Lie::DropsPostedField, &["S7"], &["K9", "S1", "S2", "S3", "R5"]),
    claims(Lie::NumberToText, &["S7"], &["K9", "S1", "S2", "S3", "R5"]),
    claims(Lie::DropsNestedNull, &["S7"], &["K9", "S1", "S2", "S3", "R5"]),
    claims(Lie::StateWithOldMetadata, &["S1"], &["K9", "S2", "S3"]),
    claims(Lie::KeepsOldType, &["S7"], &["K9", "S1", "S2", "S3", "R5"]),
    claims(Lie::LyingSave, &["S1", "S2"], &["K9", "P1", "P4", "P6", "S4", "S5", "S6", "S7", "R6"]).short(),
    claims(Lie::MergingState, &["S2"], &["K9", "P1", "P4", "P6", "S1", "S4", "S5", "S7", "R6"]).short(),
    claims(Lie::ComesOnceMore, &["S7"], &["K9", "S1", "S2"]),
    claims(Lie::SwapsSaves, &["K9", "S7"], &["S1", "S2", "S3", "R5"]),
    claims(Lie::LosesInList, &["S6"], &["O1", "S7"]).short(),
    claims(Lie::ListCutShort, &["S6"], &["O1"]),
    claims(Lie::MixedUpList, &["S6"], &["S7"]).short(),
    claims(Lie::ListsDeleted, &["S6"], &["O1"]),
    claims(Lie::ListsTwice, &["S6"], &["O1"]),
    claims(Lie::OldestFirst, &["S6"], &[]),
    claims(Lie::ListsWrongCreated, &["S6"], &[]),
    claims(Lie::StaleList, &["S6"], &["O1"]),
    claims(Lie::BiasedPicker, &["K2"], &["O3"]).short(),
    claims(Lie::NoReservation, &["K7", "K8", "K9", "P5"], &["O1"]).short(),
    claims(Lie::HandsOutUsed, &["K1"], &["K4", "K5", "K9", "K10", "P6"]).short(),
    claims(Lie::GivesUpEarly, &["K5", "K10"], &["K1", "K4", "P6"]).short(),
    claims(Lie::WrongExhaustion, &["K10"], &["K1", "K4", "K5"]).short(),
    claims(Lie::ExhaustedEarly, &["K6"], &["K7", "K9", "O1", "S1", "S2", "S3", "R5"]),
    claims(Lie::SameKeyTwice, &["K7"], &["K9", "O1", "S1", "S2", "S3"]),
    claims(Lie::LowerCaseKey, &["K2", "K7"], &["K9", "O1", "S1", "S2", "S3", "R5"]),
    claims(Lie::FourCharacterKey, &["K2", "K7"], &["K9", "O1", "S1", "S2", "S3", "R5"]),
    claims(Lie::SpaceInKey, &["K2", "K7"], &["K9", "O1", "S1", "S2", "S3", "R5"]),
    claims(Lie::TimestampInMs, &["R5"], &["S1", "S2", "S3", "K7", "K9", "O1"]),
    claims(Lie::TimestampGoesBack, &["R5"], &["S1", "S2", "S3", "K7", "K9", "O1"]),
    claims(Lie::TimestampMissing, &["R5"], &["S1", "S2", "S3", "K7", "K9", "O1"]),
    claims(Lie::SuccessAsText, &["R5"], &["S1", "S2", "S3", "K7", "K9", "O1"]),
    claims(Lie::HtmlType, &["R5"], &["S1", "S2", "S3", "K7", "K9", "O1"]),
    claims(Lie::CreatedStatus, &["R5"], &["S1", "S2", "S3", "K7", "K9", "O1"]),
    claims(Lie::RefusalWithOk, &["R5"], &["S1", "S2", "S3", "K7", "K9", "O1"]),
    claims(Lie::WrongStatus, &["R5"], &[]).short(),
    claims(Lie::Traversal, &["R5"], &[]).short(),
    claims(Lie::SaveNotFoundAfterDelete, &["S5"], &["R5", "K9", "S1", "S2", "S3"]),
    claims(Lie::SaveNotFound, &["S7"], &["R5", "S1", "S2", "K9", "O1"]),
    claims(Lie::RestoreNotFound, &["S4", "S7"], &["R5", "S1", "S2", "S3", "K9"]),
    claims(Lie::RestoreUnreadable, &["S4", "S7"], &["R5", "S1", "S2", "S3", "K9"]),
    claims(Lie::InstantiateRefused, &["S7"], &["R5", "K9", "S1", "S2", "O1", "S3"]),
    claims(Lie::DeleteNotFoundKept, &["S5"], &["K7", "K9", "O1", "S1", "S2", "S3", "R5"]),
    claims(Lie::DeleteNotFoundDone, &["S5"], &["K7", "K9", "O1", "S1", "S2", "S3", "R5"]),
    claims(Lie::DeleteKeepsFile, &["S5"], &["K7", "K8", "K10", "O1", "P5", "R5", "S1", "S2", "S3", "S7"]).short(),
    claims(Lie::DeleteNotDone, &["S5"], &["K7", "K9", "O1", "S1", "S2", "S3", "R5"]),
    claims(Lie::DeleteTwice, &["S5"], &["S7", "R6"]).short(),
    claims(Lie::DeletesAnother, &["S5"], &["K9", "S1", "S2", "S3", "O1", "K7", "R5"]),
    claims(Lie::DropsSaveAfterDelete, &["S5"], &["S1", "S2", "S3", "K9", "R5"]),
    claims(Lie::SlowSave, &["P3"], &["P1", "P4"]).short(),
    claims(Lie::LockFiles, &["O2"], &[]).short(),
    claims(Lie::KeepsExtraFiles, &["O1"], &[]).short(),
    claims(Lie::WaitsForEver, &["R4"], &[]).short(),
    claims(Lie::StoresWithoutLock, &["R4"], &[]).short(),
    claims(Lie::DropsWithoutLock, &["R4"], &[]),
    claims(Lie::StoresHalfBodies, &["R6"], &[]).short(),
];

/// What loads catch.
pub(crate) const LOADS: &[Load] = &[
    load(Lie::LyingSave, OWN, &["lost update"], &["stale read"]).short(),
    load(Lie::SavesInTwoSteps, SHARED, &["torn read"], &[]).short(),
    load(Lie::StaleRestore, OWN, &["stale read"], &["lost update"]).short(),
    load(Lie::LaggingReplica, SHARED, &["non-monotonic read"], &[]).short(),
    load(Lie::RefusesAndStores, OWN, &["aborted read"], &[]).short(),
    load(Lie::RemovesFirst, SHARED, &["intermediate read"], &[]).short(),
    load(Lie::SharesKeys, CHURN, &["duplicate key"], &[]).short(),
    load(Lie::HandsOutLive, CHANGING, &["key that changed owners"], &["duplicate key"]).short(),
    load(Lie::CrossTalk, OWN, &["key that changed owners"], &[]).short(),
    load(Lie::DeleteKeepsFile, CHURN, &["resurrected document"], &[]).short(),
    load(Lie::KeepsUnlinkedOpen, CHURN, &["acknowledged then lost"], &["missing from list"]).short(),
    load(Lie::LosesDocuments, OWN, &["acknowledged then lost"], &["missing from list"]).short(),
    load(Lie::LosesInList, LISTS, &["missing from list"], &[]).short(),
    load(Lie::SavesTwice, SHARED, &["applied twice"], &["non-monotonic read"]).short(),
    load(Lie::LosesMetadata, OWN, &["changed document"], &[]),
    load(Lie::InstantiateStoresNothing, CHANGING, &["acknowledged then lost"], &["missing from list"]),
    load(Lie::InstantiateDropsState, CHANGING, &["torn read", "lost update", "changed document"], &["stale read"]),
    load(Lie::RestoreLagsBehindInstantiate, JOURNEY, &["acknowledged then lost", "intermediate read"], &[]),
    load(Lie::EmptyState, OWN, &["torn read", "content never written", "changed document"], &[]),
    load(Lie::EmptyState, SHARED, &["torn read", "content never written", "changed document"], &[]),
    load(Lie::RestoreCutShort, OWN, &["malformed answer"], &[]),
    load(Lie::ForeignSessionKey, OWN, &["key that changed owners", "changed document"], &[]),
    load(Lie::OtherType, OWN, &["changed document"], &[]),
    load(Lie::OtherType, SHARED, &["changed document"], &[]),
    load(Lie::OtherType, CHURN, &["changed document"], &[]),
    load(Lie::TypeOfAnother, OWN, &["changed document"], &[]),
    load(Lie::AddsField, OWN, &["changed document"], &[]),
    load(Lie::LastModifiedGoesBack, OWN, &["changed document"], &[]),
    load(Lie::LastModifiedMissing, OWN, &["changed document"], &[]),
    load(Lie::VersionChanges, OWN, &["changed document"], &[]),
    load(Lie::CreatedChanges, OWN, &["changed document"], &["wrong list entry"]),
    load(Lie::CreatedDropped, OWN, &["changed document"], &["wrong list entry"]),
    load(Lie::DropsPostedField, OWN, &["changed document"], &[]),
    load(Lie::NumberToText, OWN, &["changed document"], &[]),
    load(Lie::DropsNestedNull, OWN, &["changed document"], &[]),
    load(Lie::StateWithOldMetadata, OWN, &["changed document"], &[]),
    load(Lie::KeepsOldType, OWN, &["changed document"], &["wrong list entry"]),
    load(Lie::ComesOnceMore, WATCHED, &["applied twice"], &["non-monotonic read", "lost update", "stale read"]),
    load(Lie::ComesOnceMore, OWN, &["applied twice"], &["lost update", "stale read"]),
    load(
        Lie::SwapsSaves,
        OWN,
        &["key that changed owners", "content never written"],
        &["lost update", "stale read", "torn read", "changed document"],
    ),
    load(Lie::MergingState, OWN, &["torn read"], &["changed document"]),
    load(Lie::TornRestore, OWN, &["stale read"], &["changed document", "lost update"]),
    load(Lie::LostMerge, OWN, &["changed document"], &["wrong list entry"]),
    load(Lie::MixedUpList, LISTS, &["wrong list entry"], &["missing from list"]),
    load(Lie::ListCutShort, LISTS, &["missing from list"], &[]),
    load(Lie::ListsDeleted, MIXED, &["listed after its delete"], &[]),
    load(Lie::ListsTwice, LISTS, &["wrong list entry"], &[]),
    load(Lie::OldestFirst, LISTS, &["wrong list entry"], &[]),
    load(Lie::ListsWrongCreated, LISTS, &["wrong list entry"], &[]),
    load(Lie::StaleList, MIXED, &["missing from list", "listed after its delete"], &["wrong list entry"]),
    load(Lie::ExhaustedEarly, KEYS, &["valid request refused"], &[]),
    load(Lie::SameKeyTwice, CHURN, &["duplicate key"], &["key that changed owners"]),
    load(Lie::LowerCaseKey, KEYS, &["invalid key"], &[]),
    load(Lie::FourCharacterKey, KEYS, &["invalid key"], &[]),
    load(Lie::SpaceInKey, KEYS, &["invalid key"], &[]),
    load(Lie::SuccessAsText, OWN, &["malformed answer"], &[]),
    load(Lie::CreatedStatus, OWN, &["wrong status"], &[]),
    load(Lie::RefusalWithOk, CHURN, &["wrong status"], &[]),
    load(Lie::SaveNotFound, OWN, &["valid request refused"], &[]),
    load(Lie::RestoreNotFound, OWN, &["acknowledged then lost", "intermediate read"], &[]),
    load(Lie::RestoreUnreadable, OWN, &["unreadable document"], &[]),
    load(Lie::InstantiateRefused, CHURN, &["valid request refused"], &[]),
    load(
        Lie::DeleteNotFoundKept,
        CHURN,
        &["acknowledged then lost", "valid request refused"],
        &["resurrected document", "duplicate key", "intermediate read"],
    ),
    load(Lie::DeleteNotFoundDone, CHURN, &["acknowledged then lost", "valid request refused"], &[]),
    load(Lie::DeleteNotDone, CHURN, &["resurrected document"], &[]),
    load(Lie::DeleteNotDone, MIXED, &["resurrected document"], &[]),
    load(Lie::DeleteUndone, CHURN, &["resurrected document"], &["duplicate key", "key that changed owners"]),
    load(Lie::DeleteUndone, MIXED, &["resurrected document"], &["key that changed owners"]),
    load(Lie::DeletesAnother, CHANGING, &["acknowledged then lost"], &["intermediate read"]),
];
